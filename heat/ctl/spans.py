"""Lengths of time as somebody writes them behind an option of heatctl: days are a unit too."""

import re

from heat.mistakes import BadValueError
from heat.options import positive_duration


def span(text: str) -> float:
    """Seconds. Raises BadValueError."""
    if re.fullmatch(r"[0-9]{1,15}d", text):
        text = f"{24 * int(text[:-1])}h"
    try:
        return positive_duration(text)
    except BadValueError as error:
        fix = error.fix.replace("5m, 2h", "5m, 2h, 7d")
        raise BadValueError(error.complaint, fix) from None
