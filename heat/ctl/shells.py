"""The completions of bash, zsh and fish as texts, made of what the programs' texts tell."""

from collections.abc import Iterator, Sequence
from string import Template

from heat.config.usage import Switch
from heat.ctl.programs import (
    FILES,
    FOLDERS,
    MONITORS,
    PROGRAMS,
    WORDS_OF_COMPLETION,
    Program,
    fit,
    summary,
    words_for,
)


def script(shell: str, program: Program) -> str:
    """The script that the shell is to load for this program."""
    lines = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](program)
    made = f"# Completion of {program.name}, made by 'heatctl completion {shell}'."
    head = [f"#compdef {program.name}", made] if shell == "zsh" else [made]
    return "\n".join([*head, *lines]) + "\n"


def _names_of(switches: Sequence[Switch]) -> list[str]:
    return [name for switch in switches for name in (switch.short, switch.name) if name]


# bash

_BASH = Template(
    """
_${program}_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$$cur")
}

_${program}_folders() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$$cur")
}

_${program}_programs() {
    mapfile -t COMPREPLY < <(compgen -c -- "$$cur")
}

_${program}_words() {
    mapfile -t COMPREPLY < <(compgen -W "$$*" -- "$$cur")
}

_${program}_monitors() {
    local name
    while IFS= read -r name; do
        [[ $$name == "$$cur"* ]] && COMPREPLY+=("$$(printf %q "$$name")")
    done < <(heatctl completion "$${control[@]}" names 2>/dev/null)
}

_${program}() {
    local cur=$${COMP_WORDS[COMP_CWORD]} prev=$${COMP_WORDS[COMP_CWORD - 1]}
    # bash takes "--name=value" for three words.
    if [[ $$cur == "=" ]]; then
        cur=""
    elif [[ $$prev == "=" ]]; then
        prev=$${COMP_WORDS[COMP_CWORD - 2]}
    fi
    local command="" option at=1 control=()
    COMPREPLY=()
    while ((at < COMP_CWORD)); do
        option=$${COMP_WORDS[at]}
        case $$option in
        $takers)
            [[ $${COMP_WORDS[at + 1]} == "=" ]] && ((at++))
            ((at++))
            [[ $$option == --control ]] && control=(--control "$${COMP_WORDS[at]}")
            ;;
        -*) ;;
        *) [[ $$command ]] || command=$$option ;;
        esac
        ((at++))
    done
$rest
}

complete -F _$program $program
""".strip("\n")
)


def _bash(program: Program) -> list[str]:
    own = [*program.switches, *(s for c in program.commands.values() for s in c.switches)]
    switches = list({switch.name: switch for switch in own}.values())
    rest = _bash_of_commands if program.commands else _bash_of_heat
    text = _BASH.substitute(
        program=program.name,
        takers="|".join(_names_of([switch for switch in switches if switch.value])),
        rest="\n".join(f"    {line}" for line in rest(program, switches)),
    )
    return text.split("\n")


def _bash_fit(program: Program, value: str, words: Sequence[str] = ()) -> str:
    """The completion where a text has this word, or these words fit."""
    if words:
        return f"_{program.name}_words {' '.join(words)}"
    return f"_{program.name}_{fit(value)}" if fit(value) else ":"


def _bash_values(program: Program, switches: Sequence[Switch]) -> Iterator[str]:
    """The value of the option that stands before the word."""
    yield "case $prev in"
    for switch in switches:
        if switch.value:
            # What --name names is not there yet.
            value = "" if fit(switch.value) == MONITORS else switch.value
            done = _bash_fit(program, value, words_for(switch))
            yield f"{'|'.join(_names_of([switch]))})"
            yield f"    {done}"
            yield "    return"
            yield "    ;;"
    yield "esac"


def _bash_of_heat(program: Program, switches: Sequence[Switch]) -> Iterator[str]:
    yield "if [[ $command ]]; then"
    yield f"    {_bash_fit(program, 'FILE')}"
    yield "    return"
    yield "fi"
    yield from _bash_values(program, switches)
    yield "if [[ $cur == -* ]]; then"
    yield f"    {_bash_fit(program, '', _names_of(switches))}"
    yield "else"
    yield f"    {_bash_fit(program, 'COMMAND')}"
    yield "fi"


def _bash_of_commands(program: Program, switches: Sequence[Switch]) -> Iterator[str]:
    yield from _bash_values(program, switches)
    words = [*program.commands, *_names_of(program.switches)]
    yield "case $command in"
    yield f'"") {_bash_fit(program, "", words)} ;;'
    for command in program.commands.values():
        shells = WORDS_OF_COMPLETION if command.operand == "SHELL" else ()
        yield f"{command.name})"
        yield "    if [[ $cur == -* ]]; then"
        yield f"        {_bash_fit(program, '', _names_of(command.switches))}"
        yield "    else"
        yield f"        {_bash_fit(program, command.operand, shells)}"
        yield "    fi"
        yield "    ;;"
    yield "esac"


# zsh

_ZSH_FIT = {
    FILES: "_files",
    FOLDERS: "_files -/",
    PROGRAMS: "_command_names -e",
    MONITORS: "_heat_monitors",
}
_ZSH_MONITORS = """
_heat_monitors() {
    local -a names control
    local socket=${(Q)opt_args[--control]:-$before}
    [[ -n $socket ]] && control=(--control $socket)
    names=(${(f)"$(heatctl completion $control names 2>/dev/null)"})
    compadd -a names
}
""".strip("\n")


def _zsh_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    return escaped.replace("'", "'\\''")


def _zsh_switches(switches: Sequence[Switch]) -> Iterator[str]:
    for switch in switches:
        about = f"'[{_zsh_quoted(summary(switch.text))}]"
        names = (
            f"({switch.short} {switch.name})'{{{switch.short},{switch.name}}}"
            if switch.short
            else ""
        )
        head = f"'{names}{about}" if names else f"'{switch.name}{about[1:]}"
        words = words_for(switch)
        what = "" if fit(switch.value) == MONITORS else _ZSH_FIT.get(fit(switch.value), "")
        done = f"({' '.join(words)})" if words else what or " "
        yield f"{head}:{switch.value}:{done}'" if switch.value else f"{head}'"


def _zsh(program: Program) -> list[str]:
    name = f"_{program.name}"
    monitors = ["", *_ZSH_MONITORS.split("\n")] if program.commands else []
    lines = [*monitors, "", f"{name}_words() {{"]
    lines += [
        f"    {line}" for line in (_zsh_of_commands if program.commands else _zsh_of_heat)(program)
    ]
    return [
        *lines,
        "}",
        "",
        "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then",
        f'    {name}_words "$@"',
        "else",
        f"    compdef {name}_words {program.name}",
        "fi",
    ]


def _zsh_of_heat(program: Program) -> Iterator[str]:
    yield "_arguments -s -S \\"
    for line in _zsh_switches(program.switches):
        yield f"    {line} \\"
    yield f"    '(-)1:command:{_ZSH_FIT[PROGRAMS]}' \\"
    yield "    '*::argument:_normal'"


def _zsh_of_commands(program: Program) -> Iterator[str]:
    yield 'local curcontext="$curcontext" state line'
    yield "typeset -A opt_args"
    yield "_arguments -C \\"
    for line in _zsh_switches(program.switches):
        yield f"    {line} \\"
    yield "    '1:command:->command' '*::argument:->argument'"
    yield "case $state in"
    yield "command)"
    yield "    local -a commands=("
    for command in program.commands.values():
        yield f"        '{command.name}:{_zsh_quoted(summary(command.about))}'"
    yield "    )"
    yield "    _describe command commands ;;"
    yield "argument)"
    yield "    local before=${(Q)opt_args[--control]}"
    yield "    case $words[1] in"
    for command in program.commands.values():
        yield f"    {command.name})"
        yield "        _arguments \\"
        for line in _zsh_switches(command.switches):
            yield f"            {line} \\"
        words = f"({' '.join(WORDS_OF_COMPLETION)})" if command.operand == "SHELL" else ""
        done = words or _ZSH_FIT.get(fit(command.operand), " ")
        many = "*" if command.many else "1"
        yield (
            f"            '{many}:{command.operand}:{done}' ;;"
            if command.operand
            else "            ;;"
        )
    yield "    esac ;;"
    yield "esac"


# fish

_FISH_FIT = {
    FILES: "-r -F",
    FOLDERS: "-x -a '(__fish_complete_directories)'",
}
_FISH_MONITORS = "(heatctl completion names 2>/dev/null)"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish_switch(program: str, switch: Switch, condition: str) -> str:
    parts = [f"complete -c {program}"]
    if condition:
        parts.append(f"-n {_fish_quoted(condition)}")
    if switch.short:
        parts.append(f"-s {switch.short[1:]}")
    parts.append(f"-l {switch.name[2:]}")
    words = words_for(switch)
    if words:
        parts.append(f"-x -a {_fish_quoted(' '.join(words))}")
    elif switch.value:
        parts.append(_FISH_FIT.get(fit(switch.value), "-x"))
    parts.append(f"-d {_fish_quoted(summary(switch.text))}")
    return " ".join(parts)


def _fish(program: Program) -> Iterator[str]:
    name = program.name
    if not program.commands:
        for switch in program.switches:
            yield _fish_switch(name, switch, "")
        yield f"complete -c {name} -x -a '(__fish_complete_subcommand)'"
        return
    yield f"complete -c {name} -f"
    for switch in program.switches:
        yield _fish_switch(name, switch, "__fish_use_subcommand")
    for command in program.commands.values():
        about = _fish_quoted(summary(command.about))
        yield f"complete -c {name} -n __fish_use_subcommand -a {command.name} -d {about}"
    for command in program.commands.values():
        seen = f"__fish_seen_subcommand_from {command.name}"
        for switch in command.switches:
            yield _fish_switch(name, switch, seen)
        where = f"complete -c {name} -n {_fish_quoted(seen)}"
        if command.operand == "SHELL":
            yield f"{where} -a {_fish_quoted(' '.join(WORDS_OF_COMPLETION))}"
        elif fit(command.operand) == MONITORS:
            yield f"{where} -a {_fish_quoted(_FISH_MONITORS)}"
        elif fit(command.operand) == FILES:
            yield f"{where} -F"
