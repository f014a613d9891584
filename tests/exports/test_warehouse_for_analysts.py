"""The warehouse as an analyst meets it: comments, the README's answers, a file that can be held open."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from sources.errors import PulseError
from warehouse.connection import reading, writing
from warehouse.queries import README, SCHEMAS, fill_readme, load_queries, run_query
from warehouse.release import Manifest, publish
from warehouse.workspace import Workspace


@pytest.mark.slow
@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_table_and_column_says_what_it_is(
    schema: str, warehouse: duckdb.DuckDBPyConnection
) -> None:
    tables = warehouse.execute(
        "select table_name, comment from duckdb_tables() where schema_name = ?", [schema]
    ).fetchall()
    assert tables
    assert [name for name, comment in tables if not (comment or "").strip()] == []
    columns = warehouse.execute(
        "select table_name, column_name, comment from duckdb_columns() where schema_name = ?",
        [schema],
    ).fetchall()
    assert [(t, c) for t, c, comment in columns if not (comment or "").strip()] == []


@pytest.mark.slow
def test_the_readme_shows_what_the_warehouse_says(warehouse: duckdb.DuckDBPyConnection) -> None:
    text = README.read_text(encoding="utf-8")
    assert fill_readme(warehouse, text) == text, "run `python -m warehouse.queries --write`"


@pytest.mark.slow
def test_every_query_answers(warehouse: duckdb.DuckDBPyConnection) -> None:
    queries = load_queries()
    assert len(queries) == 10
    for query in queries:
        answer = run_query(warehouse, query)
        assert answer.rows, query.name
        assert query.question.endswith((".", "?"))
        assert run_query(warehouse, query) == answer, f"{query.name}: the order of rows is open"


@pytest.mark.slow
def test_only_described_tables_are_published_and_answer_under_another_name(
    released_workspace: Workspace, tmp_path: Path
) -> None:
    copy = tmp_path / "release-of-may.duckdb"
    shutil.copyfile(released_workspace.warehouse_file, copy)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{copy}' as may (read_only)")
        relations = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'may' "
            "union all select schema_name, view_name from duckdb_views() "
            "where database_name = 'may' and not internal"
        ).fetchall()
        assert {schema for schema, _ in relations} == {"marts", "meta", "reference"}
        for schema, relation in relations:
            connection.execute(f'from may."{schema}"."{relation}" limit 1').fetchall()


def duckdb_command() -> str:
    """DuckDB's own command line, beside this Python."""
    found = Path(sys.executable).with_name("duckdb")
    assert found.exists(), "duckdb-cli is a dependency of the tests"
    return str(found)


@pytest.mark.slow
def test_the_command_line_answers_every_query_and_writes_nothing(
    released_workspace: Workspace, warehouse: duckdb.DuckDBPyConnection
) -> None:
    path = str(released_workspace.warehouse_file)
    for query in load_queries():
        done = subprocess.run(
            [duckdb_command(), "-readonly", "-csv", path],
            input=query.sql,
            capture_output=True,
            text=True,
            check=True,
        )
        reported = list(csv.reader(io.StringIO(done.stdout)))
        assert len(reported) - 1 == len(warehouse.execute(query.sql).fetchall()), query.name
    refused = subprocess.run(
        [duckdb_command(), "-readonly", path, "-c", "create table marts.x as select 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode
    assert "read-only" in refused.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed here")
def test_the_r_of_the_readme_runs(
    released_workspace: Workspace, warehouse: duckdb.DuckDBPyConnection
) -> None:
    """The R that needs no package; the other needs one that only R's own archive has."""
    (snippet,) = re.findall(
        r"```r\n(query <- .*?)```", README.read_text(encoding="utf-8"), re.DOTALL
    )
    done = subprocess.run(
        ["Rscript", "-e", snippet + "\ncat(nrow(frame), sum(frame$value), sep = ' ')"],
        cwd=released_workspace.root,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = warehouse.execute(
        "select count(*), sum(value) from marts.barometers where is_latest and value is not null"
    ).fetchall()[0]
    rows, total = done.stdout.split()
    assert int(rows) == wanted[0]
    assert float(total) == pytest.approx(wanted[1], rel=1e-5)


BI_TOOL = """
import sys
import sqlalchemy as sa

engine = sa.create_engine(sys.argv[1], poolclass=sa.NullPool)
with engine.connect() as connection:
    print(connection.execute(sa.text("select count(*) from marts.pulse")).scalar())
    print(sa.inspect(connection).get_table_names(schema="marts"))
    try:
        connection.execute(sa.text("create table marts.x as select 1"))
    except sa.exc.DBAPIError as error:
        print(str(error).splitlines()[0])
"""


@pytest.mark.slow
def test_the_address_for_bi_tools_opens_and_refuses_to_write(
    released_workspace: Workspace,
) -> None:
    assert "`duckdb:////`" in README.read_text(encoding="utf-8")
    address = f"duckdb:///{released_workspace.warehouse_file}?access_mode=READ_ONLY"
    # In a process of its own, as a tool is: within one, every connection has one configuration.
    done = subprocess.run(
        [sys.executable, "-c", BI_TOOL, address], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    reported = done.stdout.splitlines()
    assert reported[0] == "4"
    assert "barometers" in reported[1]
    assert "read-only" in reported[2]


@pytest.mark.slow
def test_the_python_of_the_readme_runs(released_workspace: Workspace) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code + "\nassert len(frame)"],
        cwd=released_workspace.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_a_readme_without_a_query_is_refused(tmp_path: Path) -> None:
    path = _warehouse(tmp_path / "empty", "first")
    with reading(path) as connection, pytest.raises(PulseError, match="01_worse_than_england"):
        fill_readme(connection, "<!-- generated: tables -->\n<!-- end -->")


@pytest.mark.slow
def test_a_reader_keeps_its_release_while_the_next_is_published(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    _publish(workspace, 1, "first")
    question = "select reported from marts.said"
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, duckdb\n"
            "with duckdb.connect(sys.argv[1], read_only=True) as c:\n"
            "    for _ in sys.stdin:\n"
            f"        print(c.execute({question!r}).fetchone()[0], flush=True)\n",
            str(workspace.warehouse_file),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None

    def ask() -> str:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write("\n")
        reader.stdin.flush()
        return reader.stdout.readline().strip()

    try:
        assert ask() == "first"
        _publish(workspace, 2, "second")
        assert ask() == "first"
        with reading(workspace.warehouse_file) as connection:
            assert connection.execute(question).fetchone() == ("second",)
        # Even once its release has been retired, for the file is open.
        _publish(workspace, 3, "third", keep=1)
        assert not (workspace.releases / "0001").exists()
        assert ask() == "first"
    finally:
        reader.stdin.close()
        assert reader.wait(timeout=30) == 0
        reader.stdout.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    _publish(workspace, 1, "first")
    with (
        reading(workspace.warehouse_file) as connection,
        pytest.raises(duckdb.InvalidInputException, match="read-only"),
    ):
        connection.execute("delete from marts.said")


def _warehouse(folder: Path, reported: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / "pulse.duckdb"
    with writing(path) as connection:
        connection.execute("create schema marts")
        # Long enough that a reader has not all of it in memory.
        connection.execute(
            "create table marts.said as select ? as reported, random() as padding from range(200000)",
            [reported],
        )
    return path


def _publish(workspace: Workspace, number: int, reported: str, *, keep: int = 10) -> None:
    folder = workspace.builds / str(number)
    _warehouse(folder, reported)
    (folder / "exports").mkdir()
    publish(
        workspace,
        Manifest(
            number=number,
            made_at=datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
            code_version="test",
            identity="",
            content_sha256=reported,
            content={},
            inputs=[],
            checks=[],
            tables={},
            source_mode="offline",
            follows=None,
            earlier=[],
        ),
        folder,
        keep=keep,
    )
