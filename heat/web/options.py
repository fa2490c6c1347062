"""The options of `heatctl serve`, and all that is wrong with them."""

import difflib
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple, cast

import docopt

from heat.config.options import path
from heat.control.paths import default_control
from heat.diagnostics import BadValueError, Mistake, of_option, shown
from heat.text import escaped
from heat.trust import AS_ROOT, Trust

DEFAULT = "127.0.0.1:9333"
SHORTEST = 16
"""Characters of a token."""
LONGEST = 4096
"""Bytes of its file."""
HIGHEST_PORT = 65_535

OPTIONS = {
    "--listen": "HOST:PORT",
    "--control": "PATH",
    "--token-file": "FILE",
    "--host": "NAME",
    "--help": "",
}
"""With what each takes; --host may come more than once."""


class Serving(NamedTuple):
    """Where to listen, whom to ask, and whom to tell."""

    address: str
    port: int
    control: str
    token: str | None
    names: Sequence[str]

    @property
    def place(self) -> str:
        """Address and port, as in a URL."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"


class Asked(NamedTuple):
    """Help, or to serve, or what is wrong."""

    wants_help: bool = False
    serving: Serving | None = None
    mistakes: Sequence[Mistake] = ()


Given = Mapping[str, Sequence[str]]


def parse(usage: str, words: Sequence[str]) -> Asked:
    """Read a command line; ``words`` stand behind `serve`."""
    try:
        found = docopt.docopt(usage, ["serve", *words], default_help=False)
    except docopt.DocoptExit:
        given, mistakes = explain(words)
    else:
        given, mistakes = _from_docopt(found), []
    if "--help" in given:
        return Asked(wants_help=True)
    serving, wrong = _serving(given)
    if mistakes or wrong:
        return Asked(mistakes=[*mistakes, *wrong])
    return Asked(serving=serving)


def _from_docopt(found: Mapping[str, object]) -> Given:
    given: dict[str, Sequence[str]] = {}
    for option in OPTIONS:
        value = found.get(option)
        if isinstance(value, list):
            values = cast("list[str]", value)
        else:
            values = [value] if isinstance(value, str) else [""] if value else []
        if values:
            given[option] = values
    return given


def explain(words: Sequence[str]) -> tuple[Given, list[Mistake]]:
    """Read what docopt refused, and say what is wrong with it."""
    given: dict[str, list[str]] = {}
    mistakes: list[Mistake] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        option = _named("--help" if name == "-h" else name, mistakes)
        if option is None:
            continue
        takes = OPTIONS[option]
        if takes and not equals and (not rest or rest[0].startswith("--")):
            fix = f"write {option} {takes}"
            mistakes.append(Mistake(f"Error: {option} is without its value", fix))
            continue
        if takes and not equals:
            value = rest.pop(0)
        if option in given and option != "--host":
            mistakes.append(Mistake(f"Error: {option} is given twice", "leave one of them out"))
        given.setdefault(option, []).append(value)
    return given, mistakes


def _named(name: str, mistakes: list[Mistake]) -> str | None:
    word = escaped(name)
    if not name.startswith("-") or name == "--":
        line = f"Error: '{word}' is no option, and heatctl serve takes nothing else"
        mistakes.append(Mistake(line, "leave it out"))
        return None
    is_short = name.startswith("--") and len(name) > len("--")
    meant = [each for each in OPTIONS if each == name or (is_short and each.startswith(name))]
    meant = [name] if name in OPTIONS else meant
    if len(meant) == 1:
        return meant[0]
    if meant:
        fix = f"write {' or '.join(meant)}"
        mistakes.append(Mistake(f"Error: {word} is short for more than one option", fix))
        return None
    near = difflib.get_close_matches(name, OPTIONS, 1, 0.5)
    fix = f"did you mean {near[0]}?" if near else "'heatctl serve --help' lists the options"
    mistakes.append(Mistake(f"Error: {word} is not an option of heatctl serve", fix))
    return None


def _serving(given: Given) -> tuple[Serving | None, list[Mistake]]:
    values: dict[str, Any] = {"--listen": place(DEFAULT)}
    mistakes: list[Mistake] = []
    for option, parse in _PARSERS.items():
        for text in given.get(option, ()):
            try:
                values[option] = parse(text)
            except BadValueError as error:
                values.pop(option, None)
                mistakes.append(of_option(option, shown(text), error.complaint, error.fix))
    control: str | None = values.get("--control", default_control())
    if control is None and "--control" not in given:
        line = "Error: --control is missing, and XDG_RUNTIME_DIR is not set"
        mistakes.append(Mistake(line, "name HEAT's socket: --control PATH"))
    address, port = values.get("--listen", ("", 0))
    if address and "--token-file" not in given and not ip_address(address).is_loopback:
        fix = f"add --token-file FILE, or listen on this machine alone: --listen 127.0.0.1:{port}"
        told = shown(given["--listen"][-1])
        complaint = "can be reached from other machines, and needs a token"
        mistakes.append(of_option("--listen", told, complaint, fix))
    if mistakes or control is None:
        return None, mistakes
    names = tuple(given.get("--host", ()))
    return Serving(address, port, control, values.get("--token-file"), names), []


def place(text: str) -> tuple[str, int]:
    """Address and port of ``127.0.0.1:9333``, ``[::1]:9333`` or ``localhost:9333``."""
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise BadValueError("is not HOST:PORT", f"write an address and a port: {DEFAULT}")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > HIGHEST_PORT:
        fix = f"write a port from 1 to {HIGHEST_PORT}, or 0 for any: {DEFAULT}"
        raise BadValueError("has no port", fix)
    if host == "localhost":
        return "127.0.0.1", int(port)
    is_bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if is_bracketed else host)
    except ValueError:
        fix = "write an address of this machine, or localhost; a name goes to --host"
        raise BadValueError("has no address", fix) from None
    if is_bracketed != (address.version == _IPV6) or "%" in host:
        raise BadValueError("has no address", "write [::1]:9333, or 127.0.0.1:9333")
    return str(address), int(port)


_IPV6 = 6


def token(file: str) -> str:
    """The token in this file."""
    why, fix = "", ""
    try:
        # A FIFO would have us wait for a writer.
        fd = os.open(path(file), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise BadValueError(f"cannot be read: {reason}", "name the file of the token") from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            why, fix = "is not a regular file", "name the file of the token"
        elif status.st_mode & (stat.S_IROTH | stat.S_IWOTH):
            why, fix = "is open to everybody", f"chmod 600 {escaped(file)}"
        elif doubts := Trust().doubts(file):
            # As root: whoever writes it lets in whom he likes.
            why = f"is not safe: {doubts[0].told('it').replace(AS_ROOT, 'and serve runs as root')}"
            fix = doubts[0].fix
        text = b"" if why else os.read(fd, LONGEST + 1)
    finally:
        os.close(fd)
    if not why:
        found = text.strip()
        fix = f"write one: head -c 32 /dev/urandom | base64 > {escaped(file)}"
        if len(text) > LONGEST:
            why = f"is longer than {LONGEST} bytes"
        elif not found:
            why = "holds no token"
        elif not re.fullmatch(rb"[!-~]+", found):
            why = "holds more than a token: letters, digits and signs, without a blank"
        elif len(found) < SHORTEST:
            why = f"holds a token that is shorter than {SHORTEST} characters"
        else:
            return found.decode()
    raise BadValueError(why, fix)


def name(text: str) -> str:
    """A name that this server may be called by."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252})", text):
        raise BadValueError(
            "is no name of a host", "write it without port and path: --host heat.lan"
        )
    return text


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "--listen": place,
    "--control": path,
    "--token-file": token,
    "--host": name,
}
