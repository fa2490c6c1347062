"""Requests and answers as lines, without the socket that carries them; see docs/protocol.md."""

import json
from collections.abc import Mapping
from typing import Any, cast

from heat.ctl.errors import CtlError, NoAnswerError, RefusedError
from heat.diagnostics import Diagnostic
from heat.text import escaped

VERSION = 1
LONGEST_REQUEST = 65_536
LONGEST_LINE = 4_194_304
"""Bytes, with the line's end; HEAT's own lines are far shorter."""

_NO_ANSWER = {"busy", "too-slow", "forbidden", "bug"}
"""Kinds of refusals that are about HEAT and not about what it was asked."""

_decode = json.JSONDecoder().decode

Answer = Mapping[str, Any]
"""One line of an answer."""


def request(do: str, **keys: object) -> bytes:
    """The line that asks for this. Raises CtlError."""
    line = json.dumps({"heat": VERSION, "do": do, **keys}).encode() + b"\n"
    if len(line) > LONGEST_REQUEST:
        told = f"Error: the request is longer than HEAT takes: {len(line)} bytes"
        hint = f"name fewer monitors at a time; {LONGEST_REQUEST} bytes are taken"
        raise CtlError(Diagnostic(told, hint))
    return line


def answer(line: bytes) -> Answer:
    """Read a line. Raises NoAnswerError or RefusedError where it is no answer."""
    try:
        found: object = _decode(line.decode())
    except (ValueError, RecursionError):
        raise _no_answer(line) from None
    if not isinstance(found, dict) or "heat" not in found:
        raise _no_answer(line)
    said = cast("dict[str, Any]", found)
    if said["heat"] != VERSION:
        raise _other_version(said["heat"])
    if said.get("ok") is False:
        raise _refused(said)
    return said


def _refused(said: Answer) -> CtlError:
    told = escaped(str(said.get("error") or "HEAT refuses it and does not say why"))
    hint = escaped(str(said.get("fix") or ""))
    if said.get("kind") in _NO_ANSWER:
        return NoAnswerError(
            Diagnostic(f"Failed: HEAT does not answer: {told}", hint or "try again")
        )
    return RefusedError(Diagnostic(f"Error: {told}", hint), *diagnostics(said))


def diagnostics(said: Answer) -> list[Diagnostic]:
    """The mistakes of a file that an answer tells."""
    found: list[Diagnostic] = []
    for text in said.get("mistakes") or ():
        line, _, hint = str(text).partition("\n")
        found.append(Diagnostic(escaped(line), escaped(hint.strip())))
    return found


def _no_answer(line: bytes) -> NoAnswerError:
    shown = escaped(line[:60].decode("utf-8", "backslashreplace").rstrip("\n"))
    more = "..." if len(line) > len(shown) + 1 else ""
    told = f"Failed: what answers is not HEAT: '{shown}{more}'"
    return NoAnswerError(Diagnostic(told, "name HEAT's own socket with --control PATH"))


def _other_version(version: object) -> NoAnswerError:
    told = f"Failed: HEAT speaks version {escaped(str(version)[:20])} of the protocol"
    hint = f"this heatctl speaks {VERSION}: use the heatctl that came with that HEAT"
    return NoAnswerError(Diagnostic(told, hint))


def last(said: Answer) -> bool:
    """Tell if this line is the last one of its answer."""
    return said.get("ok") is True
