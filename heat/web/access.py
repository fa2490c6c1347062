"""Rules for every request to `heatctl serve`: who may ask for what."""

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


class Asked(NamedTuple):
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
    """It is of HTTP/1.0."""


class Access(NamedTuple):
    """The settings from the start: the token, or None; names that we may be called by."""

    token: str | None = None
    names: Collection[str] = ()

    def refusal(self, asked: Asked) -> Refusal | None:
        """Why this is answered to nobody, whether they have a token or not."""
        if asked.method not in METHODS:
            allowed = ", ".join(METHODS)
            return Refusal(405, "nothing can be changed here", "", (("Allow", allowed),))
        if asked.has_body:
            return Refusal(413, "a request with a body is not taken", "leave the body out")
        if not asked.target.startswith("/"):
            return Refusal(400, "this is no proxy", "ask for a path, such as /metrics")
        if asked.is_old and not asked.hosts:
            # A load balancer, or check_http. A page elsewhere has no way to leave the Host out:
            # browsers send it with each request, and speak HTTP/1.1 or newer.
            return None
        if len(asked.hosts) != 1:
            return Refusal(400, "a request has one Host", "say Host once")
        return self._stranger(asked.hosts[0], asked.local)

    def _stranger(self, host: str, local: str) -> Refusal | None:
        """A page elsewhere can have its own name lead here, and read what we tell its visitors.

        It cannot change the name: a browser sends it as the Host.
        """
        name = name_of(host)
        known = {_same(local), *map(str.lower, self.names)}
        if name is not None and (name in known or name in LOCAL_NAMES or _is_loopback(name)):
            return None
        text = f"Host '{escaped(host)}' is not a name of this server"
        return Refusal(421, text, "start heatctl serve with --host NAME if it is to be one")

    def may_enter(self, authorization: str) -> bool:
        """There is no token, or this is it."""
        if self.token is None:
            return True
        scheme, _, given = authorization.partition(" ")
        told = given.strip().encode("utf-8", "surrogateescape")
        is_it = hmac.compare_digest(told, self.token.encode())
        return is_it and scheme.lower() == "bearer"


UNKNOWN = Refusal(
    401,
    "the token is missing, or another one",
    "send the header Authorization: Bearer TOKEN",
    (("WWW-Authenticate", 'Bearer realm="HEAT"'),),
)


def name_of(host: str) -> str | None:
    """The name or address in a Host, without its port; None if it is none."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, ""
    if port and not (port.isascii() and port.isdecimal()):
        return None
    is_bracketed = name.startswith("[") and name.endswith("]")
    if not name or (not is_bracketed and re.search(r"[\[\]:]", name)):
        return None
    return _same(name.strip("[]").lower().removesuffix("."))


def _same(address: str) -> str:
    """One way to write an address; a name as it is."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(found)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
