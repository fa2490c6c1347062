"""The shared part of `check`, `pause`, `resume` and `reset`: one request about one monitor."""

from collections.abc import Callable, Mapping, Sequence

from heat.control.client import connect
from heat.control.protocol import Answer
from heat.ctl import output
from heat.ctl.errors import EXIT_WELL
from heat.ctl.parser import Request, parse
from heat.text import escaped


def steer(
    text: str,
    words: Sequence[str],
    do: str,
    outcome: Callable[[str, Answer], str],
    more: Callable[[Request], Mapping[str, object]] = lambda _: {},
) -> int:
    """Send the request, with ``more`` keys, and print the outcome; return the exit status."""
    request = parse(text, words)
    if request is None:
        return EXIT_WELL
    name, keys = request.operands[0], more(request)
    with connect(request.control) as client:
        answer = client.last(do, {"name": name, **keys})
    if request.json:
        output.write_objects([answer])
    else:
        shown = escaped(name)
        output.write(f"{shown}: {outcome(shown, answer)}\n")
    return EXIT_WELL
