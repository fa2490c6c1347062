"""The common part of the commands that tell HEAT to do something about one monitor."""

from collections.abc import Callable, Mapping, Sequence

from heat.control.client import connect
from heat.ctl import output
from heat.ctl.errors import EXIT_WELL
from heat.ctl.parser import parse
from heat.text import escaped


def order(
    text: str, words: Sequence[str], do: str, outcome: Callable[[str, Mapping[str, object]], str]
) -> int:
    """Have it done, and say what came of it; the exit status is returned."""
    asked = parse(text, words)
    if asked is None:
        return EXIT_WELL
    name = asked.operands[0]
    with connect(asked.control) as client:
        said = client.last(do, {"name": name})
    if asked.json:
        output.write_objects([said])
    else:
        shown = escaped(name)
        output.write(f"{shown}: {outcome(shown, said)}\n")
    return EXIT_WELL
