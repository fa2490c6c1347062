"""Draw the machines, as ``python -m states``.

Usage:
  states [NAME] [--format FORMAT]
  states -h | --help

Without --format, all pictures, or the one named, are written into diagrams/ as
Mermaid, DOT, SVG and PNG. 'monitor' is the overview, 'monitor-stage' one of its
regions.

Options:
  --format FORMAT  print it on stdout: mermaid, dot, svg or png (NAME: monitor)
  -h, --help       print this

Mermaid and DOT need nothing but Python; SVG and PNG need Graphviz.
"""

import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from docopt import docopt

from states.engine import diagram
from states.engine.diagram import Picture
from states.monitor import drawing as monitor

FOLDER = "diagrams"
FORMS = ("mermaid", "dot", "svg", "png")
SUFFIXES = {"mermaid": "mmd", "dot": "dot", "svg": "svg", "png": "png"}
PICTURES: Mapping[str, Picture] = {each.name: each for each in monitor.PICTURES.values()}
"""All pictures, by the names of their files."""
_NO_GRAPHVIZ = """\
SVG and PNG need Graphviz, which is not installed: no program 'dot' on PATH
  install it: apt-get install graphviz"""


def main(argv: list[str] | None = None) -> int:
    """Write the pictures, or print one of them."""
    arguments = cast("Mapping[str, str | None]", docopt(__doc__ or "", argv))
    name, form = arguments["NAME"], arguments["--format"]
    messages = [
        f"Error: {option} '{value}' is not known\n  write one of {', '.join(known)}"
        for option, value, known in (("--format", form, FORMS), ("NAME", name, PICTURES))
        if value is not None and value not in known
    ]
    if messages:
        print("\n".join(messages), file=sys.stderr)
        return 2
    if form is None:
        return _write(PICTURES if name is None else [name])
    return _print(PICTURES[name or "monitor"], form)


def _print(picture: Picture, form: str) -> int:
    if lack := lacking(form):
        print(lack, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(render(form, picture))
    return 0


def _write(names: "Mapping[str, Picture] | list[str]") -> int:
    Path(FOLDER).mkdir(exist_ok=True)
    for form in FORMS:
        if lack := lacking(form):
            print(lack, file=sys.stderr)
            return 1
        for name in names:
            path = Path(FOLDER) / f"{name}.{SUFFIXES[form]}"
            path.write_bytes(render(form, PICTURES[name]))
            print(path)
    return 0


def lacking(form: str) -> str:
    """Return why this form cannot be drawn, and what to do; empty if it can be."""
    return _NO_GRAPHVIZ if form in {"svg", "png"} and shutil.which("dot") is None else ""


def render(form: str, picture: Picture) -> bytes:
    """Draw a picture in one of `FORMS`. Raises OSError, CalledProcessError."""
    if form == "mermaid":
        return diagram.mermaid(picture).encode()
    source = diagram.dot(picture).encode()
    if form == "dot":
        return source
    command = ["dot", f"-T{form}", *(["-Gdpi=144"] if form == "png" else [])]
    drawn = subprocess.run(command, input=source, capture_output=True, check=True)
    mark = f"table {diagram.digest(picture)}"
    if form == "svg":
        return drawn.stdout.replace(b"<svg", f"<!-- {mark} -->\n<svg".encode(), 1)
    return _marked_png(drawn.stdout, mark)


def _marked_png(png: bytes, mark: str) -> bytes:
    """Put the mark into a text chunk after the header (PNG specification, 11.3.4.3)."""
    header = 8 + 25
    body = b"tEXtComment\0" + mark.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:header] + chunk + png[header:]


if __name__ == "__main__":
    sys.exit(main())
