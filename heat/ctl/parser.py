"""The words behind a command: docopt reads them; what it cannot read is explained here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import docopt

from heat.ctl import output
from heat.ctl.errors import UsageError
from heat.ctl.usage import Switch, operands, switches, usage
from heat.diagnostics import BadValueError, Diagnostic, of_option
from heat.text import escaped


class Asked(NamedTuple):
    """The values of options, the flags, and the other words in their order."""

    given: Mapping[str, str]
    flags: frozenset[str]
    operands: Sequence[str]

    @property
    def control(self) -> str | None:
        """The value of --control."""
        return self.given.get("--control")

    @property
    def json(self) -> bool:
        """Tell if the answer is wanted as JSON."""
        return "--json" in self.flags

    def seconds(self, option: str, command: str, parse: Callable[[str], float]) -> float | None:
        """The length of time that an option gives; None if it is not given. Raises UsageError."""
        if option not in self.given:
            return None
        text = self.given[option]
        try:
            return parse(text)
        except BadValueError as error:
            shown = f"'{escaped(text)}'"
            raise UsageError(
                command, of_option(option, shown, error.complaint, error.hint)
            ) from None


def parse(text: str, words: Sequence[str]) -> Asked | None:
    """Read the words behind a command with this docopt text; None if only --help was wanted.

    Raises UsageError, with all that is wrong.
    """
    try:
        found = docopt.docopt(text, [name_of(text).split()[1], *words], default_help=False)
    except docopt.DocoptExit:
        # Not all that docopt refuses is wrong: "--" is not, where no text has it.
        asked, diagnostics = _explained(text, words)
        if diagnostics and "--help" not in asked.flags:
            raise UsageError(name_of(text), *diagnostics) from None
    else:
        asked = _from_docopt(text, found)
    if "--help" in asked.flags:
        output.write(text)
        return None
    if asked.control == "":  # A variable that is not set: the usual HEAT is not the one meant.
        hint = "name a file, or leave it out"
        raise UsageError(name_of(text), of_option("--control", "''", "is no path", hint))
    return asked


def name_of(text: str) -> str:
    """The command that a docopt text is about: ``heatctl status``."""
    program, command, *_ = usage(text)[0].split()
    return f"{program} {command}"


def _from_docopt(text: str, found: Mapping[str, object]) -> Asked:
    given: dict[str, str] = {}
    flags: set[str] = set()
    for switch in switches(text):
        value = found.get(switch.name)
        if isinstance(value, str):
            given[switch.name] = value
        elif value:
            flags.add(switch.name)
    rest: list[str] = []
    for operand in operands(text):
        value = found.get(operand.strip("[]."))
        if isinstance(value, str):
            rest.append(value)
        elif isinstance(value, list):
            rest += cast("list[str]", value)
    return Asked(given, frozenset(flags), rest)


def _explained(text: str, words: Sequence[str]) -> tuple[Asked, list[Diagnostic]]:
    """Read what docopt refused, and say what is wrong with it."""
    given: dict[str, str] = {}
    flags: set[str] = set()
    rest: list[str] = []
    diagnostics: list[Diagnostic] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            rest += left
            break
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        known = _meant(text, word, diagnostics)
        if known is None:
            continue
        switch, value = known
        if switch.name in given or switch.name in flags:
            hint = "leave one of them out"
            diagnostics.append(Diagnostic(f"Error: {switch.name} is given twice", hint))
        if not switch.value:
            flags.add(switch.name)
        elif value is not None:
            given[switch.name] = value
        elif left and left[0] != "--":
            given[switch.name] = left.pop(0)
        else:
            hint = f"write {switch.name} {switch.value}"
            diagnostics.append(Diagnostic(f"Error: {switch.name} is without its value", hint))
    # Behind an option that is not known a word may be its value.
    diagnostics += _of_operands(text, rest, may_be_values=bool(diagnostics))
    return Asked(given, frozenset(flags), rest), diagnostics


def _meant(text: str, word: str, diagnostics: list[Diagnostic]) -> tuple[Switch, str | None] | None:
    """The option that a word begins, and the value behind its ``=``."""
    name, equals, value = word.partition("=")
    known = switches(text)
    if not word.startswith("--"):
        found = [switch for switch in known if switch.short == word[:2]]
        name, equals, value = word[:2], word[2:], word[2:]
    else:
        exact = [switch for switch in known if switch.name == name]
        found = exact or [switch for switch in known if switch.name.startswith(name)]
    if len(found) > 1:
        choice = " or ".join(switch.name for switch in found)
        told = f"Error: {escaped(name)} is short for more than one option"
        diagnostics.append(Diagnostic(told, f"write {choice}"))
    elif not found:
        diagnostics.append(_unknown(name, [switch.name for switch in known], name_of(text)))
    elif equals and not found[0].value:
        told = f"Error: {found[0].name} takes no value: '{escaped(value)}'"
        diagnostics.append(Diagnostic(told, f"write {found[0].name} alone"))
    else:
        return found[0], value if equals else None
    return None


def _unknown(name: str, names: Sequence[str], command: str) -> Diagnostic:
    near = nearest(name, names)
    hint = f"did you mean {near}?" if near else f"'{command} --help' lists the options"
    return Diagnostic(f"Error: {escaped(name)} is not an option of '{command}'", hint)


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word that is most like this one; empty if none is."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, 1, 0.5)), "")


def _of_operands(text: str, rest: Sequence[str], *, may_be_values: bool) -> Iterator[Diagnostic]:
    """The mistakes in the words that are no options."""
    wanted = operands(text)
    needed = [word for word in wanted if not word.startswith("[")]
    if len(rest) < len(needed):
        missing = needed[len(rest)]
        hint = f"write {usage(text)[0]}"
        if missing == "NAME":
            hint = f"name a monitor: {name_of(text)} NAME; 'heatctl status' lists them"
        yield Diagnostic(f"Error: {missing} is missing", hint)
    elif may_be_values or any("..." in word for word in wanted):
        return
    elif len(rest) > len(wanted):
        extra = " ".join(rest[len(wanted) :])
        what = f"takes one {needed[0]}" if wanted else "takes no name"
        if wanted and not needed:
            what = f"takes one {wanted[0].strip('[].')} at most"
        told = f"Error: '{escaped(extra)}' is too much: '{name_of(text)}' {what}"
        yield Diagnostic(told, "leave it out")
