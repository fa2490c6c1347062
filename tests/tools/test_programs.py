"""The texts of --help, taken apart for completions and man pages."""

from tools.programs import summary


def test_a_long_text_is_cut_between_words() -> None:
    text = summary("word " * 40)

    assert text.endswith("word ...")
    assert len(text) <= 76


def test_a_summary_ends_before_an_aside_or_a_second_clause() -> None:
    assert summary("one (aside) two; three") == "one two"
