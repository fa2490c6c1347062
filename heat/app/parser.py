"""The command line: docopt reads it; what docopt cannot read is explained here.

docopt's own errors do not say what is wrong, nor all of it, so on an error the words are
read once more by the table of options.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import docopt

from heat.config.options import (
    OF_HEAT,
    OPTIONS,
    Common,
    Option,
    Options,
    build,
    common,
    parsed,
    readable,
)
from heat.diagnostics import Diagnostic, dotted, quoted
from heat.text import escaped
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.config.model import Config


class Grammar(NamedTuple):
    """All that can be written on a command line: the text of its help, and the table of options."""

    usage: str
    options: tuple[Option, ...] = OPTIONS
    program: str = "HEAT"
    command: str = "heat"
    """The words that are typed."""
    options_first: bool = True
    """From the first word that is no option, all are the command's."""


class Words(NamedTuple):
    """A command line taken apart: values of options, flags, the command, and mistakes."""

    given: Mapping[str, str]
    flags: frozenset[str]
    command: Sequence[str]
    diagnostics: Sequence[Diagnostic] = ()


class Asked(NamedTuple):
    """``help``, ``version`` or ``watch``, and for that one monitor or a file, or what is wrong."""

    request: str
    options: Options | None = None
    diagnostics: Sequence[Diagnostic] = ()
    common: Common = Common()
    unsound: Options | None = None
    """The part that can be looked at though something is wrong with the options."""
    file: str = ""
    """The path that --config gives."""
    config: "Config | None" = None
    """The content of that file, once it has been read."""
    warnings: Sequence[str] = ()
    """Warnings that were found, and do not keep HEAT from watching."""


def parse(usage: str, words: Sequence[str]) -> Asked:
    """A command line's request."""
    taken = take_apart(Grammar(usage), words)
    for request in ("help", "version"):
        if f"--{request}" in taken.flags:
            return Asked(request)
    whole = common(taken.given, taken.flags)
    if "--config" in taken.given or any(each.key == "config" for each in taken.diagnostics):
        wrong = [*taken.diagnostics, *beside_config(taken)]
        return Asked("watch", None, wrong, whole, file=taken.given.get("--config", ""))
    options, diagnostics = build(taken.given, taken.flags, taken.command)
    if taken.diagnostics:  # Which words are the command is not sure then.
        return Asked("watch", None, [*taken.diagnostics, *diagnostics], whole)
    if options is None:
        return Asked("watch", None, diagnostics, whole, readable(taken.given, taken.command))
    return Asked("watch", options, (), whole)


def take_apart(grammar: Grammar, words: Sequence[str]) -> Words:
    """The words of a command line, each in its place, or what is wrong with them."""
    try:
        found = docopt.docopt(
            grammar.usage,
            list(words),
            default_help=False,
            options_first=grammar.options_first,
        )
    except docopt.DocoptExit:
        return explain(words, grammar)
    return _from_docopt(found, grammar.options)


def beside_config(taken: Words) -> list[Diagnostic]:
    """The mistakes in the options of a HEAT that reads a file."""
    of_heat = {name: value for name, value in taken.given.items() if name in OF_HEAT}
    _, diagnostics = parsed(of_heat)
    for option in OPTIONS:
        if option.name not in taken.given or option.name in OF_HEAT:
            continue
        value = taken.given[option.name]
        line = f"Error: {option.name} '{escaped(value)}' cannot stand beside --config"
        key = option.name.removeprefix("--")
        is_number = option.value in {"SECS", "N", "PID"} and value.isdecimal()
        there = f"{key} = {value if is_number else quoted(value)}"
        hint = f"write it into the file, under [defaults] or [monitor.NAME]: {there}"
        if option.name == "--name":
            hint = f"a monitor's name is that of its table: [monitor.{dotted(value)}]"
        diagnostics.append(Diagnostic(line, hint))
    if taken.command:
        shown = escaped(" ".join(taken.command))
        words = ", ".join(map(quoted, taken.command))
        line = f"Error: command '{shown}' cannot stand beside --config"
        diagnostics.append(Diagnostic(line, f"write it into the file: command = [{words}]"))
    return diagnostics


def _from_docopt(found: Mapping[str, object], options: Sequence[Option]) -> Words:
    given: dict[str, str] = {}
    flags: set[str] = set()
    for option in options:
        value = found.get(option.name)
        if isinstance(value, str):
            given[option.name] = value
        elif value:
            flags.add(option.name)
    words: list[str] = []
    for place in ("COMMAND", "ARG", "NAME"):
        there = found.get(place)
        words += [there] if isinstance(there, str) else cast("list[str]", there or [])
    return Words(given, frozenset(flags), words)


def explain(words: Sequence[str], grammar: Grammar) -> Words:
    """Read what docopt refused, and say what is wrong with it."""
    given: dict[str, str] = {}
    flags: set[str] = set()
    diagnostics: list[Diagnostic] = []
    rest, command = list(words), list[str]()
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            command.append(word)
            if grammar.options_first:
                break
            continue
        for option, value in _options_of(word, rest, grammar, diagnostics):
            if option.name in given or option.name in flags:
                line = f"Error: {option.name} is given twice"
                diagnostics.append(Diagnostic(line, "leave one of them out"))
            elif option.parse is None:
                flags.add(option.name)
            elif value is not None:
                given[option.name] = value
    return Words(given, frozenset(flags), [*command, *rest], diagnostics)


def _options_of(
    word: str, rest: list[str], grammar: Grammar, diagnostics: list[Diagnostic]
) -> list[tuple[Option, str | None]]:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        option = _named(name, grammar, diagnostics)
        if option is None:
            return []
        if option.parse is None:
            if equals:
                line = f"Error: {option.name} takes no value: '{escaped(value)}'"
                diagnostics.append(Diagnostic(line, f"write {option.name} alone"))
            return [(option, None)]
        return [(option, value if equals else _next(option, rest, diagnostics))]
    found: list[tuple[Option, str | None]] = []
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        option = next((each for each in grammar.options if each.short == f"-{letter}"), None)
        if option is None:
            of = grammar.program
            line = f"Error: -{escaped(letter)} is not an option of {of} ('{escaped(word)}')"
            diagnostics.append(Diagnostic(line, f"{of}'s own options stand before the command"))
            break
        if option.parse is None:
            found.append((option, None))
            continue
        found.append((option, letters or _next(option, rest, diagnostics)))
        break
    return found


def _next(option: Option, rest: list[str], diagnostics: list[Diagnostic]) -> str | None:
    if rest and rest[0] != "--":
        return rest.pop(0)
    hint = f"write {option.name} {option.value}"
    key = option.name.removeprefix("--")
    diagnostics.append(Diagnostic(f"Error: {option.name} is without its value", hint, key))
    return None


def _named(name: str, grammar: Grammar, diagnostics: list[Diagnostic]) -> Option | None:
    names = [option.name for option in grammar.options]
    meant = [name] if name in names else [each for each in names if each.startswith(name)]
    if len(meant) == 1:
        return grammar.options[names.index(meant[0])]
    shown = escaped(name)
    if meant:
        line = f"Error: {shown} is short for more than one option"
        diagnostics.append(Diagnostic(line, f"write {' or '.join(meant)}"))
    else:
        import difflib

        near = difflib.get_close_matches(name, names, 1, 0.5)
        hint = (
            f"did you mean {near[0]}?" if near else f"'{grammar.command} --help' lists the options"
        )
        line = f"Error: {shown} is not an option of {grammar.program}"
        diagnostics.append(Diagnostic(line, hint))
    return None
