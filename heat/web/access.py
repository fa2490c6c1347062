"""The rules for every request to `heatctl serve`: who may ask for what. Pure."""

import hmac
import re
from collections.abc import Collection, Sequence
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from heat.text import escaped

LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
METHODS = ("GET", "HEAD")


class Refusal(NamedTuple):
    """An answer to an unwelcome request."""

    status: int
    error: str
    hint: str = ""
    headers: Sequence[tuple[str, str]] = ()


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that gets a refusal."""

    def __init__(self, status: int, error: str, hint: str = "") -> None:
        super().__init__(error)
        self.refusal = Refusal(status, error, hint)


class Request(NamedTuple):
    """The parts of a request that the rules look at."""

    method: str
    target: str
    """As the client has written it behind the method."""
    has_body: bool
    hosts: Sequence[str]
    """The values of Host."""
    authorization: str
    local: str
    """The address at which the connection has come in."""
    is_old: bool = False
    """HTTP/1.0."""


class Access(NamedTuple):
    """The settings: the token, or None, and names that clients may call this server by."""

    token: str | None = None
    names: Collection[str] = ()

    def refusal(self, request: Request) -> Refusal | None:
        """Return why nobody gets an answer to this, with or without the token."""
        if request.method not in METHODS:
            allowed = ", ".join(METHODS)
            return Refusal(405, "nothing can be changed here", "", (("Allow", allowed),))
        if request.has_body:
            return Refusal(413, "a request must not have a body", "leave the body out")
        if not request.target.startswith("/"):
            return Refusal(400, "this is not a proxy", "ask for a path, such as /metrics")
        if request.is_old and not request.hosts:
            # A load balancer, or check_http. A page elsewhere cannot leave the Host out: browsers
            # send it with each request, and speak HTTP/1.1 or newer.
            return None
        if len(request.hosts) != 1:
            return Refusal(400, "a request must have one Host", "send Host once")
        return self._stranger(request.hosts[0], request.local)

    def _stranger(self, host: str, local: str) -> Refusal | None:
        """Prevent DNS rebinding: a page elsewhere makes its own name lead here, and reads us.

        It cannot change the name, which a browser sends as the Host.
        """
        name = name_of(host)
        known = {_same(local), *map(str.lower, self.names)}
        if name is not None and (name in known or name in LOCAL_NAMES or _is_loopback(name)):
            return None
        message = f"Host '{escaped(host)}' is not a name of this server"
        return Refusal(421, message, "start heatctl serve with --host NAME to add a name")

    def may_enter(self, authorization: str) -> bool:
        """Tell if there is no token, or this is it."""
        if self.token is None:
            return True
        scheme, _, token = authorization.partition(" ")
        sent = token.strip().encode("utf-8", "surrogateescape")
        is_equal = hmac.compare_digest(sent, self.token.encode())
        return is_equal and scheme.lower() == "bearer"


UNKNOWN = Refusal(
    401,
    "the token is missing or wrong",
    "send the header Authorization: Bearer TOKEN",
    (("WWW-Authenticate", 'Bearer realm="HEAT"'),),
)


def name_of(host: str) -> str | None:
    """Return the name or address in a Host, without its port; None if it is not valid."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, ""
    if port and not (port.isascii() and port.isdecimal()):
        return None
    is_bracketed = name.startswith("[") and name.endswith("]")
    if not name or (not is_bracketed and re.search(r"[\[\]:]", name)):
        return None
    return _same(name.strip("[]").lower().removesuffix("."))


def _same(text: str) -> str:
    """Write an address in one way, and leave a name as it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
