"""Ten questions that analysts ask, each a file of SQL, and the README that shows their answers.

Here belong the queries, how one is run, and how the generated parts of ``warehouse/README.md`` are
written. The prose of the README is written by hand.

Refresh the README with ``python -m warehouse.queries --write`` after a change of a mart or query;
the tests hold what it shows and what a warehouse of the bundled figures says to be the same.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb

from sources.errors import PulseError

FOLDER = Path(__file__).parent
README = FOLDER.parent / "README.md"
SCHEMAS = ("marts", "meta", "reference")

_LONGEST = 110
_PART = re.compile(
    r"(?P<start><!-- generated: (?P<name>[a-z0-9_ ]+) -->\n)(?P<body>.*?)(?P<end><!-- end -->)",
    re.DOTALL,
)


class QueryError(PulseError):
    """A query or the README that shows it cannot be read."""

    default_code = "query"


@dataclass(frozen=True)
class Query:
    """One question: the comment that opens the file is the question in words."""

    name: str
    question: str
    sql: str


@dataclass(frozen=True)
class Answer:
    """What a query returns: names of columns and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def markdown(self, longest: int = _LONGEST) -> str:
        """The answer as a Markdown table; longer text is cut and ends in three dots."""
        right = [
            all(isinstance(row[at], (int, float)) or row[at] is None for row in self.rows)
            for at in range(len(self.columns))
        ]
        lines = [
            self.columns,
            ["---:" if each else "---" for each in right],
            *([_shown(value, longest) for value in row] for row in self.rows),
        ]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def load_queries() -> tuple[Query, ...]:
    """Every query, in order of its number.

    Raises:
        QueryError: when a file does not open with its question.
    """
    return tuple(_load(path) for path in sorted(FOLDER.glob("*.sql")))


def run_query(connection: duckdb.DuckDBPyConnection, query: Query) -> Answer:
    """Ask a warehouse."""
    cursor = connection.execute(query.sql)
    return Answer(
        columns=tuple(column[0] for column in cursor.description or ()),
        rows=tuple(cursor.fetchall()),
    )


def list_tables(connection: duckdb.DuckDBPyConnection) -> Answer:
    """Every table for readers, with its size and what it holds, from the warehouse's comments."""
    tables = connection.execute(
        "select schema_name, table_name, comment from duckdb_tables() "
        "where list_contains($schemas, schema_name) "
        "order by list_position($schemas, schema_name), table_name",
        {"schemas": list(SCHEMAS)},
    ).fetchall()
    rows = []
    for schema, table, comment in tables:
        counted = connection.execute(f"select count(*) from {schema}.{table}").fetchone()
        # What is said about a release grows with its checks and its history: no size to remember.
        size = None if schema == "meta" or counted is None else counted[0]
        rows.append((f"`{schema}.{table}`", size, comment))
    return Answer(columns=("table", "rows", "what it holds"), rows=tuple(rows))


def fill_readme(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """The README with its generated parts written from a warehouse.

    A part is between ``<!-- generated: NAME -->`` and ``<!-- end -->``, where NAME is
    ``tables`` or the name of a query. Every part must be there.

    Raises:
        QueryError: when a part has a name that nothing is known of, or a query has no part.
    """
    parts: dict[str, Callable[[], str]] = {
        "tables": lambda: list_tables(connection).markdown(longest=sys.maxsize),
        **{query.name: partial(_part, connection, query) for query in load_queries()},
    }
    named = {match["name"] for match in _PART.finditer(text)}
    if named != parts.keys():
        raise QueryError(
            "the README's generated parts are not the tables and the queries",
            code="readme_parts",
            file=README.name,
            expected=", ".join(sorted(parts)),
            found=", ".join(sorted(named)),
            todo="add or remove `<!-- generated: NAME -->` … `<!-- end -->` in the README",
        )
    return _PART.sub(
        lambda match: f"{match['start']}{parts[match['name']]()}\n{match['end']}", text
    )


def _part(connection: duckdb.DuckDBPyConnection, query: Query) -> str:
    return (
        f"**{query.question}** [`queries/{query.name}.sql`](queries/{query.name}.sql)\n\n"
        f"```sql\n{query.sql}\n```\n\n{run_query(connection, query).markdown()}"
    )


def _load(path: Path) -> Query:
    lines = path.read_text(encoding="utf-8").strip().splitlines()
    comment = list(takewhile(lambda line: line.startswith("-- "), lines))
    if not comment:
        raise QueryError(
            "a query does not say what it answers",
            code="no_question",
            file=path.name,
            expected="a first line that starts with `-- `",
            found=lines[0] if lines else "an empty file",
            todo="write the question as a comment on the first lines",
        )
    question = " ".join(line.removeprefix("-- ").strip() for line in comment)
    return Query(name=path.stem, question=question, sql="\n".join(lines[len(comment) :]).strip())


def _shown(value: object, longest: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
    return text if len(text) <= longest else text[: longest - 3].rstrip() + "..."
