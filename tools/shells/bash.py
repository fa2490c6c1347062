"""Completion for bash: a function for each program, which `complete` calls."""

from collections.abc import Iterator, Sequence
from string import Template

from heat.config.usage import Switch
from heat.ctl.commands.completion import WORDS
from tools.programs import MONITORS, Program, fit, names_of, words_for

_SCRIPT = Template(
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
    # To bash "--name=value" is three words.
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


def lines(program: Program) -> list[str]:
    """Return the lines of the script for bash."""
    every = [*program.switches, *(s for c in program.commands.values() for s in c.switches)]
    switches = list({switch.name: switch for switch in every}.values())
    rest = _of_commands if program.commands else _of_heat
    text = _SCRIPT.substitute(
        program=program.name,
        takers="|".join(names_of([switch for switch in switches if switch.value])),
        rest="\n".join(f"    {line}" for line in rest(program, switches)),
    )
    return text.split("\n")


def _fit(program: Program, value: str, words: Sequence[str] = ()) -> str:
    """Return the call that completes a value of this kind, or one of these words."""
    if words:
        return f"_{program.name}_words {' '.join(words)}"
    return f"_{program.name}_{fit(value)}" if fit(value) else ":"


def _values(program: Program, switches: Sequence[Switch]) -> Iterator[str]:
    """Complete the value of the option in front of the word."""
    yield "case $prev in"
    for switch in switches:
        if switch.value:
            # --name names a monitor that does not exist yet.
            value = "" if fit(switch.value) == MONITORS else switch.value
            done = _fit(program, value, words_for(switch))
            yield f"{'|'.join(names_of([switch]))})"
            yield f"    {done}"
            yield "    return"
            yield "    ;;"
    yield "esac"


def _of_heat(program: Program, switches: Sequence[Switch]) -> Iterator[str]:
    yield "if [[ $command ]]; then"
    yield f"    {_fit(program, 'FILE')}"
    yield "    return"
    yield "fi"
    yield from _values(program, switches)
    yield "if [[ $cur == -* ]]; then"
    yield f"    {_fit(program, '', names_of(switches))}"
    yield "else"
    yield f"    {_fit(program, 'COMMAND')}"
    yield "fi"


def _of_commands(program: Program, switches: Sequence[Switch]) -> Iterator[str]:
    yield from _values(program, switches)
    words = [*program.commands, *names_of(program.switches)]
    yield "case $command in"
    yield f'"") {_fit(program, "", words)} ;;'
    for command in program.commands.values():
        shells = WORDS if command.operand == "SHELL" else ()
        yield f"{command.name})"
        yield "    if [[ $cur == -* ]]; then"
        yield f"        {_fit(program, '', names_of(command.switches))}"
        yield "    else"
        yield f"        {_fit(program, command.operand, shells)}"
        yield "    fi"
        yield "    ;;"
    yield "esac"
