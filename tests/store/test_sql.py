"""SQL stands in one place, and what it describes is what docs/protocol.md says."""

import io
import re
import tokenize
from pathlib import Path

from heat.store import sql

HOME = Path(__file__).parents[2]
STATEMENT = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE FROM|CREATE TABLE)\b")


def has_sql(path: Path) -> bool:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    strings = [token.string for token in tokens if token.type == tokenize.STRING]
    return any(STATEMENT.search(text) for text in strings)


def test_sql_stands_in_one_module() -> None:
    modules = (HOME / "heat").rglob("*.py")

    assert [path.name for path in modules if has_sql(path)] == ["sql.py"]


def test_the_document_shows_the_tables_as_they_are() -> None:
    (shown,) = re.findall(r"```sql\n(.*?)```", (HOME / "docs/protocol.md").read_text(), re.DOTALL)

    assert re.sub(r" *--.*", "", shown).split() == sql.SCHEMA.split()
