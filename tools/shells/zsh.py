"""Completion for zsh: a function for each program, which describes its words to `_arguments`."""

from collections.abc import Iterator, Sequence

from heat.config.usage import Switch
from heat.ctl.commands.completion import WORDS
from tools.programs import (
    FILES,
    FOLDERS,
    MONITORS,
    PROGRAMS,
    Program,
    fit,
    summary,
    words_for,
)

_FIT = {
    FILES: "_files",
    FOLDERS: "_files -/",
    PROGRAMS: "_command_names -e",
    MONITORS: "_heat_monitors",
}
_MONITORS = """
_heat_monitors() {
    local -a names control
    local socket=${(Q)opt_args[--control]:-$before}
    [[ -n $socket ]] && control=(--control $socket)
    names=(${(f)"$(heatctl completion $control names 2>/dev/null)"})
    compadd -a names
}
""".strip("\n")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    return escaped.replace("'", "'\\''")


def _switches(switches: Sequence[Switch]) -> Iterator[str]:
    for switch in switches:
        about = f"'[{_quoted(summary(switch.text))}]"
        names = (
            f"({switch.short} {switch.name})'{{{switch.short},{switch.name}}}"
            if switch.short
            else ""
        )
        head = f"'{names}{about}" if names else f"'{switch.name}{about[1:]}"
        words = words_for(switch)
        what = "" if fit(switch.value) == MONITORS else _FIT.get(fit(switch.value), "")
        done = f"({' '.join(words)})" if words else what or " "
        yield f"{head}:{switch.value}:{done}'" if switch.value else f"{head}'"


def lines(program: Program) -> list[str]:
    """Return the lines of the script for zsh; it is loaded by its name, or by `source`."""
    name = f"_{program.name}"
    monitors = ["", *_MONITORS.split("\n")] if program.commands else []
    made = [*monitors, "", f"{name}_words() {{"]
    made += [f"    {line}" for line in (_of_commands if program.commands else _of_heat)(program)]
    return [
        *made,
        "}",
        "",
        "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then",
        f'    {name}_words "$@"',
        "else",
        f"    compdef {name}_words {program.name}",
        "fi",
    ]


def _of_heat(program: Program) -> Iterator[str]:
    yield "_arguments -s -S \\"
    for line in _switches(program.switches):
        yield f"    {line} \\"
    yield f"    '(-)1:command:{_FIT[PROGRAMS]}' \\"
    yield "    '*::argument:_normal'"


def _of_commands(program: Program) -> Iterator[str]:
    yield 'local curcontext="$curcontext" state line'
    yield "typeset -A opt_args"
    yield "_arguments -C \\"
    for line in _switches(program.switches):
        yield f"    {line} \\"
    yield "    '1:command:->command' '*::argument:->argument'"
    yield "case $state in"
    yield "command)"
    yield "    local -a commands=("
    for command in program.commands.values():
        yield f"        '{command.name}:{_quoted(summary(command.about))}'"
    yield "    )"
    yield "    _describe command commands ;;"
    yield "argument)"
    yield "    local before=${(Q)opt_args[--control]}"
    yield "    case $words[1] in"
    for command in program.commands.values():
        yield f"    {command.name})"
        yield "        _arguments \\"
        for line in _switches(command.switches):
            yield f"            {line} \\"
        words = f"({' '.join(WORDS)})" if command.operand == "SHELL" else ""
        done = words or _FIT.get(fit(command.operand), " ")
        many = "*" if command.many else "1"
        yield (
            f"            '{many}:{command.operand}:{done}' ;;"
            if command.operand
            else "            ;;"
        )
    yield "    esac ;;"
    yield "esac"
