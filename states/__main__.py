"""Draw the machine, as ``python -m states``.

Usage:
  states [--format FORMAT]
  states -h | --help

Without an option, heat.mmd, heat.dot, heat.svg and heat.png are written into diagrams/.

Options:
  --format FORMAT  print one on stdout: mermaid, dot, svg or png
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

from states import diagram
from states.model import State

FOLDER = "diagrams"
FORMS = ("mermaid", "dot", "svg", "png")
SUFFIXES = {"mermaid": "mmd", "dot": "dot", "svg": "svg", "png": "png"}
_NO_GRAPHVIZ = """\
SVG and PNG need Graphviz, which is not installed: no program 'dot' on PATH
  install it: apt-get install graphviz"""


def main(argv: list[str] | None = None) -> int:
    """Write the diagrams, or print one of them."""
    found = cast("Mapping[str, str | None]", docopt(__doc__ or "", argv))
    wanted = found["--format"]
    if wanted is not None and wanted not in FORMS:
        print(
            f"Error: --format '{wanted}' is not known\n  write mermaid, dot, svg or png",
            file=sys.stderr,
        )
        return 2
    if wanted is None:
        Path(FOLDER).mkdir(exist_ok=True)
    for form in FORMS if wanted is None else (wanted,):
        if lack := lacking(form):
            print(lack, file=sys.stderr)
            return 1
        if wanted is not None:
            sys.stdout.buffer.write(render(form))
        else:
            path = Path(FOLDER) / f"heat.{SUFFIXES[form]}"
            path.write_bytes(render(form))
            print(path)
    return 0


def lacking(form: str) -> str:
    """The thing that drawing in this form lacks, and what to do; empty if nothing."""
    return _NO_GRAPHVIZ if form in {"svg", "png"} and shutil.which("dot") is None else ""


def render(form: str, lit: State | None = None) -> bytes:
    """The machine as ``mermaid``, ``dot``, ``svg`` or ``png``; ``lit`` is the present state."""
    if form == "mermaid":
        return diagram.mermaid(lit).encode()
    source = diagram.dot(lit).encode()
    if form == "dot":
        return source
    drawn = subprocess.run(["dot", f"-T{form}"], input=source, capture_output=True, check=True)
    mark = f"table {diagram.digest()}"
    if form == "svg":
        return drawn.stdout.replace(b"<svg", f"<!-- {mark} -->\n<svg".encode(), 1)
    return _marked_png(drawn.stdout, mark)


def _marked_png(png: bytes, mark: str) -> bytes:
    """Put the mark into a text chunk behind the header (PNG specification, 11.3.4.3)."""
    header = 8 + 25
    body = b"tEXtComment\0" + mark.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:header] + chunk + png[header:]


if __name__ == "__main__":
    sys.exit(main())
