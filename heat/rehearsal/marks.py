"""The marks of a picture, as SVG."""

from html import escape

INK = "#1b1b1b"


def title(tooltip: str) -> str:
    """Return the tooltip of a mark."""
    return f"<title>{_safe(tooltip)}</title>" if tooltip else ""


def _safe(text: str) -> str:
    """Escape a text for XML, which has no way at all to write two characters."""
    return escape(text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd"))


def rect(  # noqa: PLR0913, PLR0917 - the parts of a rectangle
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str,
    line: str = "none",
    tooltip: str = "",
) -> str:
    """Return a rectangle."""
    return (
        f'<rect x="{x}" y="{y}" width="{round(width, 2)}" height="{height}" rx="2" fill="{fill}" '
        f'stroke="{line}">{title(tooltip)}</rect>'
    )


def arrow(x: float, y: float, tooltip: str) -> str:
    """Return an arrow that points down."""
    return (
        f'<path d="M {x} {y + 6} v 12 m -4 -5 l 4 5 l 4 -5" fill="none" stroke="{INK}" '
        f'stroke-width="1.3">{title(tooltip)}</path>'
    )


def line(x: float, y: float, x2: float, y2: float, colour: str, dashes: str = "") -> str:  # noqa: PLR0913, PLR0917 - likewise
    """Return a line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x}" y1="{y}" x2="{x2}" y2="{y2}" stroke="{colour}"{dashed}/>'


def text(  # noqa: PLR0913 - the parts of a text
    x: float,
    y: float,
    text: str,
    *,
    size: int,
    anchor: str = "start",
    fill: str = INK,
    weight: str = "normal",
) -> str:
    """Return a line of text."""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{fill}" '
        f'font-weight="{weight}">{_safe(text)}</text>'
    )
