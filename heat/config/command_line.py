"""The words of a command line: docopt reads them, for every command alike.

docopt gets the options of a text of --help and the shortest usage, `[options] [WORD...]`, because
its time grows with the square of the options and ways in a text. The caller finds what is
missing and what does not go together, so that HEAT can report all mistakes at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import docopt

from heat.diagnostics import Diagnostic
from heat.text import escaped
from states.engine.named_tuple import NamedTuple


class Grammar(NamedTuple):
    """All that may be written on the command line of a program or of its command."""

    command: str
    """As somebody types it: ``heatctl status``."""
    text: str
    """Its text of --help, with all its options."""
    options_first: bool = False
    """The first word that is not an option begins a command line of its own."""


class Words(NamedTuple):
    """A command line taken apart."""

    values: Mapping[str, str]
    """By the long name of their options."""
    flags: frozenset[str]
    operands: Sequence[str]
    """The other words in their order."""
    diagnostics: Sequence[Diagnostic] = ()
    repeated: Mapping[str, Sequence[str]] = {}
    """The values of options that were given more than once."""

    def all_of(self, option: str) -> Sequence[str]:
        """Return all values of an option that may be given more than once."""
        value = self.values.get(option)
        return self.repeated.get(option) or ([] if value is None else [value])


def read(grammar: Grammar, words: Sequence[str]) -> Words:
    """Take a command line apart, and list all that is wrong with it."""
    try:
        matches = docopt.docopt(
            for_docopt(grammar.text, words),
            list(words),
            default_help=False,
            options_first=grammar.options_first,
        )
    except docopt.DocoptExit:
        from heat.config.mistyped import explain

        line = explain(grammar, words)
    else:
        line = _from_docopt(grammar, matches)
    if grammar.options_first:
        return line
    return line._replace(diagnostics=[*line.diagnostics, *wrong_operands(grammar, line)])


def for_docopt(text: str, words: Sequence[str]) -> str:
    """Return the heads of the options that may be among the words, under a usage for any words."""
    heads = [line[2:].split("  ")[0] for line in text.splitlines() if line.startswith("  -")]
    names = tuple(word.partition("=")[0] for word in words if word[:2] == "--" != word)
    letters = any(word.startswith("-") and not word.startswith("--") for word in words)
    near = [head for head in heads if _is_near(head, names, letters=letters)]
    return "\n  ".join(["Usage: program [options] [WORD...]\n", *near])


def _is_near(head: str, names: tuple[str, ...], *, letters: bool) -> bool:
    """Return whether a word may be this option: a letter, its name, or the beginning of it."""
    letter, _, name = head.rpartition(", ")
    return (letters and bool(letter)) or any(map(name.startswith, names))


def _from_docopt(grammar: Grammar, matches: Mapping[str, object]) -> Words:
    operands = cast("list[str]", matches["WORD"])
    if "--" in (operands[:1] if grammar.options_first else operands):
        operands.remove("--")
    return Words(
        {name: value for name, value in matches.items() if isinstance(value, str)},
        frozenset(name for name, value in matches.items() if value is True),
        operands,
    )


def wrong_operands(grammar: Grammar, words: Words) -> Iterator[Diagnostic]:
    """List the operand that is missing, or those that are too many."""
    from heat.config.usage import operands, usage

    known = operands(grammar.text)
    needed = [word for word in known if not word.startswith("[")]
    extra = words.operands[len(known) :]
    if len(words.operands) < len(needed):
        missing = needed[len(words.operands)]
        hint = f"write {usage(grammar.text)[0]}"
        if missing == "NAME":
            hint = f"name a monitor: {grammar.command} NAME; 'heatctl status' lists them"
        yield Diagnostic(f"Error: {missing} is missing", hint)
    # After a mistyped option the word may be its value.
    elif extra and not words.diagnostics and "..." not in "".join(known):
        limit = f"only one {known[0].strip('[]')}" if known else "only options"
        line = f"Error: unexpected '{escaped(' '.join(extra))}': '{grammar.command}' takes {limit}"
        yield Diagnostic(line, "leave it out")
