"""Completion for fish: a `complete` command for each word of a program."""

from collections.abc import Iterator

from heat.config.usage import Switch
from heat.ctl.commands.completion import WORDS
from tools.programs import (
    FILES,
    FOLDERS,
    MONITORS,
    Program,
    fit,
    summary,
    words_for,
)

_FIT = {
    FILES: "-r -F",
    FOLDERS: "-x -a '(__fish_complete_directories)'",
}
_MONITORS = "(heatctl completion names 2>/dev/null)"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _switch(program: str, switch: Switch, condition: str) -> str:
    parts = [f"complete -c {program}"]
    if condition:
        parts.append(f"-n {_quoted(condition)}")
    if switch.short:
        parts.append(f"-s {switch.short[1:]}")
    parts.append(f"-l {switch.name[2:]}")
    words = words_for(switch)
    if words:
        parts.append(f"-x -a {_quoted(' '.join(words))}")
    elif switch.value:
        parts.append(_FIT.get(fit(switch.value), "-x"))
    parts.append(f"-d {_quoted(summary(switch.text))}")
    return " ".join(parts)


def lines(program: Program) -> Iterator[str]:
    """Yield the lines of the script for fish."""
    name = program.name
    if not program.commands:
        for switch in program.switches:
            yield _switch(name, switch, "")
        yield f"complete -c {name} -x -a '(__fish_complete_subcommand)'"
        return
    yield f"complete -c {name} -f"
    for switch in program.switches:
        yield _switch(name, switch, "__fish_use_subcommand")
    for command in program.commands.values():
        about = _quoted(summary(command.about))
        yield f"complete -c {name} -n __fish_use_subcommand -a {command.name} -d {about}"
    for command in program.commands.values():
        condition = f"__fish_seen_subcommand_from {command.name}"
        for switch in command.switches:
            yield _switch(name, switch, condition)
        where = f"complete -c {name} -n {_quoted(condition)}"
        if command.operand == "SHELL":
            yield f"{where} -a {_quoted(' '.join(WORDS))}"
        elif fit(command.operand) == MONITORS:
            yield f"{where} -a {_quoted(_MONITORS)}"
        elif fit(command.operand) == FILES:
            yield f"{where} -F"
