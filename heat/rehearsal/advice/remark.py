"""A piece of advice: a diagnostic that stops nobody."""

from collections.abc import Iterator

from heat.config.durations import written
from heat.diagnostics import Diagnostic, of_option

Advice = Iterator[Diagnostic]


def remark(option: str, value: str, complaint: str, hint: str) -> Diagnostic:
    """Return a piece of advice on an option."""
    diagnostic = of_option(option, value, complaint, hint)
    return diagnostic._replace(message=diagnostic.message.replace("Error:", "Advice:", 1))


def quoted_span(span: float | None) -> str:
    """Return a span of time as an option has it, in quotes."""
    return f"'{written(span or 0)}'"
