"""Ten questions that analysts ask, each a file of SQL, and the README that shows their answers.

Here belong the queries, how one is run, and how the generated parts of ``warehouse/README.md`` are
written. The prose of the README is written by hand.

Refresh the README with ``python -m warehouse.queries --write`` after a change of a mart or query;
the tests hold what it shows and what a warehouse of the bundled figures says to be the same.
"""

import datetime as dt
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

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


@dataclass(frozen=True)
class Query:
    """One question: the comment that opens the file is the question in words."""

    name: str
    question: str
    sql: str


class Answer(NamedTuple):
    """What a query returns: names of columns and rows."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]

    def markdown(self, longest: int = _LONGEST) -> str:
        """The answer as a Markdown table; longer text is cut and ends in three dots."""
        numbers = [
            all(value is None or isinstance(value, int | float) for value in column)
            for column in zip(*self.rows, strict=True)
        ]
        lines = [
            self.columns,
            ["---:" if each else "---" for each in numbers],
            *([_shown(value, longest) for value in row] for row in self.rows),
        ]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


# What is said about a release grows with its checks and its history: no size to remember.
_TABLES = Query(
    "tables",
    "Every table for readers, with its size and what it holds",
    f"""
    select
        format('`{{}}.{{}}`', schema_name, table_name) as "table",
        case when schema_name != 'meta' then estimated_size end as "rows",
        comment as "what it holds"
    from duckdb_tables() where schema_name in {SCHEMAS}
    order by list_position({list(SCHEMAS)}, schema_name), table_name
    """,
)


def load_queries() -> tuple[Query, ...]:
    """Every query, in order of its number.

    Raises PulseError when a file does not open with its question.
    """
    return tuple(_load(path) for path in sorted(FOLDER.glob("*.sql")))


def run_query(connection: duckdb.DuckDBPyConnection, query: Query) -> Answer:
    """Ask a warehouse."""
    answer = connection.sql(query.sql)
    return Answer(answer.columns, answer.fetchall())


def fill_readme(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """The README with its generated parts written from a warehouse.

    A part is between ``<!-- generated: NAME -->`` and ``<!-- end -->``, where NAME is ``tables`` or
    the name of a query. Every part must be there. Raises PulseError when a part has a name that
    nothing is known of, or a query has no part.
    """
    parts = {query.name: query for query in (_TABLES, *load_queries())}
    named = {match["name"] for match in _PART.finditer(text)}
    if named != parts.keys():
        raise PulseError(
            "the README's generated parts are not the tables and the queries",
            code="readme_parts",
            file=README.name,
            expected=", ".join(sorted(parts)),
            found=", ".join(sorted(named)),
            todo="add or remove `<!-- generated: NAME -->` … `<!-- end -->` in the README",
        )

    def written(match: re.Match[str]) -> str:
        query = parts[match["name"]]
        if query is _TABLES:
            shown = run_query(connection, query).markdown(longest=sys.maxsize)
        else:
            link = f"[`queries/{query.name}.sql`](queries/{query.name}.sql)"
            answer = run_query(connection, query).markdown()
            shown = f"**{query.question}** {link}\n\n```sql\n{query.sql}\n```\n\n{answer}"
        return f"{match['start']}{shown}\n{match['end']}"

    return _PART.sub(written, text)


def _load(path: Path) -> Query:
    lines = path.read_text(encoding="utf-8").strip().splitlines()
    comment = list(takewhile(lambda line: line.startswith("-- "), lines))
    if not comment:
        raise PulseError(
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
