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
from heat.diagnostics import BadValueError, Diagnostic, of_option, shown
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
    diagnostics: Sequence[Diagnostic] = ()


Given = Mapping[str, Sequence[str]]


def parse(usage: str, words: Sequence[str]) -> Asked:
    """Read a command line; ``words`` stand behind `serve`."""
    try:
        found = docopt.docopt(usage, ["serve", *words], default_help=False)
    except docopt.DocoptExit:
        given, diagnostics = explain(words)
    else:
        given, diagnostics = _from_docopt(found), []
    if "--help" in given:
        return Asked(wants_help=True)
    serving, wrong = _serving(given)
    if diagnostics or wrong:
        return Asked(diagnostics=[*diagnostics, *wrong])
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


def explain(words: Sequence[str]) -> tuple[Given, list[Diagnostic]]:
    """Read what docopt refused, and say what is wrong with it."""
    given: dict[str, list[str]] = {}
    diagnostics: list[Diagnostic] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        option = _named("--help" if name == "-h" else name, diagnostics)
        if option is None:
            continue
        takes = OPTIONS[option]
        if takes and not equals and (not rest or rest[0].startswith("--")):
            hint = f"write {option} {takes}"
            diagnostics.append(Diagnostic(f"Error: {option} is without its value", hint))
            continue
        if takes and not equals:
            value = rest.pop(0)
        if option in given and option != "--host":
            diagnostics.append(
                Diagnostic(f"Error: {option} is given twice", "leave one of them out")
            )
        given.setdefault(option, []).append(value)
    return given, diagnostics


def _named(name: str, diagnostics: list[Diagnostic]) -> str | None:
    word = escaped(name)
    if not name.startswith("-") or name == "--":
        line = f"Error: '{word}' is no option, and heatctl serve takes nothing else"
        diagnostics.append(Diagnostic(line, "leave it out"))
        return None
    is_short = name.startswith("--") and len(name) > len("--")
    meant = [each for each in OPTIONS if each == name or (is_short and each.startswith(name))]
    meant = [name] if name in OPTIONS else meant
    if len(meant) == 1:
        return meant[0]
    if meant:
        hint = f"write {' or '.join(meant)}"
        diagnostics.append(Diagnostic(f"Error: {word} is short for more than one option", hint))
        return None
    near = difflib.get_close_matches(name, OPTIONS, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else "'heatctl serve --help' lists the options"
    diagnostics.append(Diagnostic(f"Error: {word} is not an option of heatctl serve", hint))
    return None


def _serving(given: Given) -> tuple[Serving | None, list[Diagnostic]]:
    values: dict[str, Any] = {"--listen": place(DEFAULT)}
    diagnostics: list[Diagnostic] = []
    for option, parse in _PARSERS.items():
        for text in given.get(option, ()):
            try:
                values[option] = parse(text)
            except BadValueError as error:
                values.pop(option, None)
                diagnostics.append(of_option(option, shown(text), error.complaint, error.hint))
    control: str | None = values.get("--control", default_control())
    if control is None and "--control" not in given:
        line = "Error: --control is missing, and XDG_RUNTIME_DIR is not set"
        diagnostics.append(Diagnostic(line, "name HEAT's socket: --control PATH"))
    address, port = values.get("--listen", ("", 0))
    if address and "--token-file" not in given and not ip_address(address).is_loopback:
        hint = f"add --token-file FILE, or listen on this machine alone: --listen 127.0.0.1:{port}"
        told = shown(given["--listen"][-1])
        complaint = "can be reached from other machines, and needs a token"
        diagnostics.append(of_option("--listen", told, complaint, hint))
    if diagnostics or control is None:
        return None, diagnostics
    names = tuple(given.get("--host", ()))
    return Serving(address, port, control, values.get("--token-file"), names), []


def place(text: str) -> tuple[str, int]:
    """Address and port of ``127.0.0.1:9333``, ``[::1]:9333`` or ``localhost:9333``."""
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise BadValueError("is not HOST:PORT", f"write an address and a port: {DEFAULT}")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > HIGHEST_PORT:
        hint = f"write a port from 1 to {HIGHEST_PORT}, or 0 for any: {DEFAULT}"
        raise BadValueError("has no port", hint)
    if host == "localhost":
        return "127.0.0.1", int(port)
    is_bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if is_bracketed else host)
    except ValueError:
        hint = "write an address of this machine, or localhost; a name goes to --host"
        raise BadValueError("has no address", hint) from None
    if is_bracketed != (address.version == _IPV6) or "%" in host:
        raise BadValueError("has no address", "write [::1]:9333, or 127.0.0.1:9333")
    return str(address), int(port)


_IPV6 = 6


def token(file: str) -> str:
    """The token in this file."""
    why, hint = "", ""
    try:
        # A FIFO would have us wait for a writer.
        fd = os.open(path(file), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise BadValueError(f"cannot be read: {reason}", "name the file of the token") from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            why, hint = "is not a regular file", "name the file of the token"
        elif status.st_mode & (stat.S_IROTH | stat.S_IWOTH):
            why, hint = "is open to everybody", f"chmod 600 {escaped(file)}"
        elif doubts := Trust().doubts(file):
            # As root: whoever writes it lets in whom he likes.
            why = f"is not safe: {doubts[0].told('it').replace(AS_ROOT, 'and serve runs as root')}"
            hint = doubts[0].hint
        text = b"" if why else os.read(fd, LONGEST + 1)
    finally:
        os.close(fd)
    if not why:
        found = text.strip()
        hint = f"write one: head -c 32 /dev/urandom | base64 > {escaped(file)}"
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
    raise BadValueError(why, hint)


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
