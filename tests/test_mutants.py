"""The mutants of heat/ that are made by hand stand in code that changes."""

from mutants import meaning


def test_each_mistake_of_meaning_has_its_place() -> None:
    mistakes = list(meaning.mistakes())

    assert len(mistakes) == len({mistake.what for mistake in mistakes})
    for mistake in mistakes:
        compile(mistake.text, mistake.module, "exec")
