"""The mistakes in a command line: docopt says neither what is wrong, nor all of it.

Only loaded where something may be wrong.
"""

from collections.abc import Iterable, Sequence

from heat.config.command_line import Grammar, Words
from heat.config.usage import Switch, switches
from heat.diagnostics import Diagnostic
from heat.text import escaped


def explain(grammar: Grammar, words: Sequence[str]) -> Words:
    """Read the words that docopt refused, option by option."""
    reading = _Reading(grammar, words)
    reading.read()
    repeated = {name: values for name, values in reading.values.items() if len(values) > 1}
    return Words(
        {name: values[-1] for name, values in reading.values.items()},
        frozenset(reading.flags),
        reading.operands,
        reading.diagnostics,
        repeated,
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like this one; empty if none is."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.5)), "")


class _Reading:
    """One reading of a command line: what its words have given so far, and those that are left."""

    def __init__(self, grammar: Grammar, words: Sequence[str]) -> None:
        self.values: dict[str, list[str]] = {}
        self.flags: set[str] = set()
        self.operands: list[str] = []
        self.diagnostics: list[Diagnostic] = []
        self._grammar = grammar
        self._options = switches(grammar.text)
        self._rest = list(words)

    def read(self) -> None:
        """Read all words."""
        while self._rest:
            word = self._rest.pop(0)
            if word == "--":
                break
            if word.startswith("--"):
                self._read_name(*word.partition("="))
            elif word.startswith("-") and word != "-":
                self._read_letters(word)
            else:
                self.operands.append(word)
                if self._grammar.options_first:
                    break
        self.operands += self._rest

    def _read_name(self, name: str, equals: str, value: str) -> None:
        option = self._named(name)
        if option is None:
            return
        if equals and not option.value:
            text = f"{option.name} takes no value: '{escaped(value)}'"
            self._wrong(text, f"write {option.name} without '='")
        self._take(option, value if equals else None)

    def _read_letters(self, word: str) -> None:
        """Read ``-qi30``: flags, and an option with the rest of the word as its value."""
        for rest, letter in enumerate(word[1:], 2):
            option = next((each for each in self._options if each.short == f"-{letter}"), None)
            if option is None:
                self._unknown(f"-{letter}", word)
                return
            self._take(option, word[rest:] or None)
            if option.value:
                return

    def _named(self, name: str) -> Switch | None:
        names = [option.name for option in self._options]
        fits = [name] if name in names else [each for each in names if each.startswith(name)]
        if len(fits) == 1:
            return self._options[names.index(fits[0])]
        if fits:
            text = f"{escaped(name)} is short for more than one option"
            self._wrong(text, f"write {' or '.join(fits)}")
        else:
            self._unknown(name, name)
        return None

    def _unknown(self, option: str, word: str) -> None:
        command = self._grammar.command
        # Without the dashes, which would make any two options alike.
        near = nearest(option[2:], (each.name[2:] for each in self._options))
        which = " that stand before COMMAND" if self._grammar.options_first else ""
        hint = f"did you mean --{near}?" if near else f"'{command} --help' lists the options{which}"
        text = f"{escaped(option)} is not an option of '{command}'"
        self._wrong(text if word == option else f"{text}: '{escaped(word)}'", hint)

    def _take(self, option: Switch, value: str | None) -> None:
        """Take an option, and its value from the next word unless that is known."""
        is_first = option.name not in self.values and option.name not in self.flags
        if not is_first and f"{option.name} {option.value}]..." not in self._grammar.text:
            self._wrong(f"{option.name} is given twice", "leave one of them out")
        if not option.value:
            self.flags.add(option.name)
        elif value is not None:
            self.values.setdefault(option.name, []).append(value)
        elif self._rest and self._rest[0] != "--":
            self.values.setdefault(option.name, []).append(self._rest.pop(0))
        else:
            hint = f"write {option.name} {option.value}"
            self._wrong(f"{option.name} needs a value", hint, option.name[2:])

    def _wrong(self, text: str, hint: str, key: str = "") -> None:
        self.diagnostics.append(Diagnostic(f"Error: {text}", hint, key))
