"""The pages heat(1), heatctl(1) and heat.toml(5), and the completions, made from --help.

``python -m tools.manual`` writes them; a test holds that they are fresh.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence

from heat.config import keys, usage
from heat.config.schema import COMMAND, KEYS, MAX_RUNNING
from heat.config.usage import Block, Entry
from heat.ctl.commands.completion import SHELLS
from heat.diagnostics import as_keys
from tools import roff, shells
from tools.programs import Command, Program, heat, heatctl

COMPLETIONS = "heat/ctl/completions"
_SEE = {
    "heat(1)": "heatctl(1), heat.toml(5)",
    "heatctl(1)": "heat(1), heat.toml(5)",
    "heat.toml(5)": "heat(1), heatctl(1)",
}
_FILES = (
    Entry("heat.log", "in the folder of --log-dir: the stderr of failed checks"),
    Entry("heat.verbose.log", "there too: all output of all programs, and HEAT's own news"),
    Entry("heat.NAME.out", "there too: the output of the fail and recovery scripts of NAME"),
    Entry("FILE.state", "there too, with --config and no --state: what survives a restart"),
)
_AS_ROOT = (
    [
        "As root, HEAT obeys only root. It refuses, with exit status 2, a script, a command, an",
        "interpreter, the configuration, the state, a log, a lock or a token that another user",
        "owns or that its group or others may write. It also refuses one whose path has a",
        "folder that others may write and that is not sticky, or a link of another user in such",
        "a folder. A folder of another user, or one that a group other than root's may write,",
        "gets a warning. HEAT looks when it starts, when it reads FILE again, and when it",
        "reopens a log.",
    ],
    [
        "A pid file may belong to another user: then HEAT signals only a process of that user. A",
        "pid file that others may write, or that an earlier process left behind, names nobody.",
    ],
)


def files() -> Mapping[str, str]:
    """Return the text of each file, by its path."""
    made = {
        "man/heat.1": _page_of_heat(heat()),
        "man/heatctl.1": _page_of_heatctl(heatctl()),
        "man/heat.toml.5": _page_of_file(heat()),
    }
    for program in (heat(), heatctl()):
        for shell, name in SHELLS.items():
            path = f"{COMPLETIONS}/{shell}/{name.format(program.name)}"
            made[path] = shells.script(shell, program)
    return made


def _page_of_heat(program: Program) -> str:
    return roff.page(_heat(program))


def _heat(program: Program) -> Iterator[str]:
    first, *rest = usage.blocks(program.text)
    yield from roff.title("heat", 1)
    yield from _named("heat", first)
    yield from _synopsis(program.text)
    yield roff.section("Description")
    yield from _body([block for block in rest if block.heading != "Usage"], "Options")
    yield roff.section("Files")
    yield from roff.entries(_FILES)
    yield roff.section("As root")
    for lines in _AS_ROOT:
        yield from roff.paragraph(lines)
    yield from _see("heat(1)")


def _page_of_heatctl(program: Program) -> str:
    return roff.page(_heatctl(program))


def _heatctl(program: Program) -> Iterator[str]:
    first, *rest = usage.blocks(program.text)
    yield from roff.title("heatctl", 1)
    yield from _named("heatctl", first)
    yield from _synopsis(program.text)
    yield roff.section("Description")
    yield from _body([block for block in rest if block.heading != "Usage"], "")
    yield roff.section("Commands")
    for command in program.commands.values():
        yield from _command(command)
    yield from _see("heatctl(1)")


def _command(command: Command) -> Iterator[str]:
    yield roff.subsection(f"heatctl {command.name}")
    if not command.text:
        yield from roff.paragraph([command.about])
        return
    first, *rest = usage.blocks(command.text)
    about = first.lines[0].partition(": ")[2]
    yield from roff.paragraph([about[0].upper() + about[1:], *first.lines[1:]])
    for line in usage.usage(command.text):
        yield ".PP"
        yield roff.head(line)
    for block in rest:
        if block.heading == "Usage":
            continue
        if block.entries:
            if block.heading != "Options":
                yield from roff.paragraph([f"{block.heading}:"])
            yield from roff.entries(block.entries)
        elif roff.is_example(block):
            yield from roff.example(block.lines)
        else:
            yield from roff.paragraph(block.lines)


def _named(name: str, first: Block) -> Iterator[str]:
    about = " ".join(first.lines).partition(": ")[2].rstrip(".")
    yield roff.section("Name")
    yield f"{roff.plain(name)} \\- {roff.plain(about)}"


def _synopsis(text: str) -> Iterator[str]:
    yield roff.section("Synopsis")
    for place, line in enumerate(usage.usage(text)):
        if place:
            yield ".br"
        yield roff.head(line)


def _body(blocks: Sequence[Block], options: str) -> Iterator[str]:
    """Yield the parts of a text, with its lists in a section of the name ``options``, if any."""
    in_options = False
    for block in blocks:
        if block.entries:
            if options and not in_options:
                yield roff.section(options)
                in_options = True
            yield roff.subsection(block.heading)
            yield from roff.entries(block.entries)
        elif roff.is_example(block):
            yield from roff.example(block.lines)
        elif block.lines[0].startswith("Exit status: "):
            yield roff.section("Exit status")
            first, *rest = block.lines
            yield from _statuses(" ".join([first.removeprefix("Exit status: "), *rest]))
        else:
            yield from roff.paragraph(block.lines)


def _statuses(text: str) -> Iterator[str]:
    """Yield ``0 all is well; 1 something is not.`` as a list."""
    for part in text.rstrip(".").split("; "):
        number, _, meaning = part.partition(" ")
        yield from roff.entries([Entry(number, meaning)])


def _see(page: str) -> Iterator[str]:
    yield roff.section("See also")
    yield ", ".join(
        f"\\fB{roff.plain(name)}\\fP({number.rstrip(')')})"
        for name, number in (other.split("(") for other in _SEE[page].split(", "))
    )


# The file


def _page_of_file(program: Program) -> str:
    return roff.page(_file(program))


def _file(program: Program) -> Iterator[str]:
    blocks = usage.blocks(program.text)
    shown = next(place for place, block in enumerate(blocks) if roff.is_example(block))
    last = max(place for place, block in enumerate(blocks) if roff.is_example(block))
    yield from roff.title("heat.toml", 5)
    yield roff.section("Name")
    yield "heat.toml \\- configuration file of heat"
    yield roff.section("Description")
    yield from roff.paragraph(
        [
            "The file of 'heat --config FILE' is written in TOML, and may have any name.",
            "Each table [monitor.NAME] is a monitor. Its keys are the long options of heat(1)",
            "without their dashes, or command; keys under [defaults] hold for all monitors",
            "that do not set them.",
        ]
    )
    for block in blocks[shown : last + 1]:
        yield from roff.example(block.lines)
    yield from roff.paragraph(blocks[last + 1].lines)
    yield from roff.paragraph(
        [
            "HEAT reads the file at its start, on SIGHUP and on 'heatctl reload'. If it has",
            "mistakes, HEAT lists them all, and the old configuration stays in force.",
            "'heatctl validate FILE' finds them beforehand.",
        ]
    )
    yield roff.section("Keys of a monitor, or under [defaults]")
    for block in blocks:
        keys = list(_keys(block))
        if keys:
            yield roff.subsection(block.heading)
            yield from roff.entries(keys)
    yield roff.section("Keys of [heat]")
    yield from roff.entries(_OF_HEAT)
    yield from _see("heat.toml(5)")


_OF_HEAT = (
    Entry(
        "max-running = N",
        f"this many checks run at once, others wait their turn (default: {MAX_RUNNING})",
    ),
    Entry("history = SECS", "how long the state file keeps what happened (default: 90d)"),
)


def _keys(block: Block) -> Iterator[Entry]:
    """Yield the keys of the options in a block; after script comes command."""
    for entry in block.entries:
        names = (word.removeprefix("--") for word in entry.head.replace(",", "").split())
        key = next((name for name in names if name in KEYS), None)
        if key is not None:
            yield _key(key, entry.text)
        if key == "script":
            yield _key(COMMAND, "the check is this program, with its arguments")


def _key(key: str, text: str) -> Entry:
    sample = keys.example(key)
    return Entry(f"{key} = {KEYS[key].value}", f"{as_keys(text)}. For example: {key} = {sample}")


def main(folder: str = ".") -> int:
    """Write all files below the folder."""
    for path, text in files().items():
        there = os.path.join(folder, path)
        os.makedirs(os.path.dirname(there), exist_ok=True)
        with open(there, "w", encoding="utf-8") as file:
            file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
