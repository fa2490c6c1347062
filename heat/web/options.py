"""The options of `heatctl serve`, and all that is wrong with them."""

import os
import re
import stat
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from heat.config.command_line import Grammar, Words, read
from heat.config.options import read_values
from heat.config.readers import path
from heat.config.schema import BAD, Option
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


class Serving(NamedTuple):
    """The place to listen at, the socket of HEAT, and who may ask."""

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


def parse(text: str, words: Sequence[str]) -> Asked:
    """Read the words behind `serve`; ``text`` is the text of --help."""
    line = read(Grammar("heatctl serve", text), words)
    if "--help" in line.flags:
        return Asked(wants_help=True)
    serving, diagnostics = _serving(line)
    if line.diagnostics or diagnostics:
        return Asked(diagnostics=[*line.diagnostics, *diagnostics])
    return Asked(serving=serving)


def _serving(line: Words) -> tuple[Serving | None, list[Diagnostic]]:
    values, diagnostics = read_values({"--listen": DEFAULT, **line.values}, OPTIONS)
    names = tuple(line.all_of("--host"))
    for host in names[:-1]:
        diagnostics += read_values({"--host": host}, OPTIONS)[1]
    control: str | None = values.get("--control", default_control())
    if control is None:
        text = "Error: --control is missing, and XDG_RUNTIME_DIR is not set"
        diagnostics.append(Diagnostic(text, "name HEAT's socket: --control PATH"))
    listen = values["--listen"]
    if listen is not BAD and "--token-file" not in values and not ip_address(listen[0]).is_loopback:
        complaint = "can be reached from other machines, and needs a token"
        hint = f"add --token-file FILE, or listen only locally: --listen 127.0.0.1:{listen[1]}"
        text = shown(line.values["--listen"])
        diagnostics.append(of_option("--listen", text, complaint, hint))
    if diagnostics or control is None:
        return None, diagnostics
    return Serving(listen[0], listen[1], control, values.get("--token-file"), names), []


def place(text: str) -> tuple[str, int]:
    """Read address and port: ``127.0.0.1:9333``, ``[::1]:9333`` or ``localhost:9333``."""
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
    """Read the token in this file."""
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
            # As root: anyone who may write the file decides who gets in.
            doubt = doubts[0].sentence("it").replace(AS_ROOT, "and serve runs as root")
            why = f"is not safe: {doubt}"
            hint = doubts[0].hint
        text = b"" if why else os.read(fd, LONGEST + 1)
    finally:
        os.close(fd)
    if not why:
        secret = text.strip()
        hint = f"write one: head -c 32 /dev/urandom | base64 > {escaped(file)}"
        if len(text) > LONGEST:
            why = f"is longer than {LONGEST} bytes"
        elif not secret:
            why = "contains no token"
        elif not re.fullmatch(rb"[!-~]+", secret):
            why = "contains more than a token, which is printable ASCII without a blank"
        elif len(secret) < SHORTEST:
            why = f"contains a token of fewer than {SHORTEST} characters"
        else:
            return secret.decode()
    raise BadValueError(why, hint)


def name(text: str) -> str:
    """Read the name of a host."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252})", text):
        raise BadValueError("is not a host name", "write it without port and path: --host heat.lan")
    return text


OPTIONS = (
    Option("--listen", "HOST:PORT", place),
    Option("--control", "PATH", path),
    Option("--token-file", "FILE", token),
    Option("--host", "NAME", name),
    Option("--help", "", None, "-h"),
)
