"""Draw any table, or a coupling of tables, as Mermaid or DOT, from the rows that run.

An arrow is a change of state: the event, the guards in brackets, the effects behind a slash.
What happens within a state stands in its box. `Look` adds what a table does not know: colours,
rows to leave out, hints for Graphviz.
"""

import hashlib

from states.engine.coupling import Coupling
from states.engine.dot import dot as _dot
from states.engine.drawing import PLAIN, Look, of_coupling, of_table
from states.engine.mermaid import mermaid as _mermaid
from states.engine.picture import Picture
from states.engine.table import Table

__all__ = ["Look", "Picture", "digest", "dot", "mermaid", "of_coupling", "of_table"]

Drawn = Table | Coupling | Picture


def mermaid(drawn: Drawn, look: Look = PLAIN) -> str:
    """Draw a state diagram of Mermaid."""
    return _mermaid(_picture(drawn, look))


def dot(drawn: Drawn, look: Look = PLAIN) -> str:
    """Draw a digraph of Graphviz."""
    return _dot(_picture(drawn, look))


def digest(picture: Picture) -> str:
    """Return a fingerprint of the picture, which tells whether a drawing is up to date."""
    return hashlib.sha256(_dot(picture).encode()).hexdigest()[:16]


def _picture(drawn: Drawn, look: Look) -> Picture:
    match drawn:
        case Table():
            return of_table(drawn, look)
        case Coupling():
            return of_coupling(drawn, look=look)
        case _:
            return drawn
