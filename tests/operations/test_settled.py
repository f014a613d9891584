"""A warehouse written anew: its bytes are decided by its content and by nothing else."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from warehouse import settled
from warehouse.settled import settle, warehouse_content
from warehouse.workspace import PROJECT, WorkspaceError

SECRET = "never-published-" + "x" * 40


def build(path: Path, seed: int, *, changed: bool = False) -> Path:
    """Some thousand rows of every kind of column, laid down in an order that ``seed`` shuffles.

    Names repeat and differ, fractions are odd, and a third of every column is null: each is a way
    in which DuckDB stores what was in memory or what it drew at random.
    """
    path.parent.mkdir()
    numbers = list(range(6000))
    random.Random(seed).shuffle(numbers)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw; create schema marts")
        connection.execute("set force_compression = 'uncompressed'")
        connection.execute(
            f"create table raw.gone as select '{SECRET}' || range as s from range(99)"
        )
        connection.execute("checkpoint")
        connection.execute("reset force_compression")
        connection.execute("create table raw.numbers (n integer)")
        connection.executemany("insert into raw.numbers values (?)", [[n] for n in numbers[:500]])
        connection.execute("insert into raw.numbers select unnest(?::integer[])", [numbers[500:]])
        connection.execute(
            """
            create table marts.figures as
            select
                n,
                case when n % 3 > 0 then 'E0' || (n % 400) end as code,
                case when n % 5 > 1 then 'A sentence about area ' || n || ', as told.' end as words,
                case when n % 7 > 2 then n / 7.0 end as figure,
                case when n % 9 > 4 then if(n % 2 = 0, '-0.0', '0.0')::double end as nothing,
                case when n % 2 = 0 then date '2024-01-01' + n end as on_day,
                case when n % 4 > 0 then n % 6 = 1 end as held,
                [n % 3, null, n] as several
            from raw.numbers
            """
        )
        connection.execute("comment on table marts.figures is 'One row a figure.'")
        connection.execute("comment on column marts.figures.figure is 'In percent.'")
        connection.execute("create view marts.latest as select * from marts.figures where n > 99")
        connection.execute("drop table raw.gone")
        if changed:
            connection.execute("update marts.figures set figure = figure + 1e-9 where n = 4")
        connection.execute("checkpoint")
    return path


def test_equal_content_has_equal_bytes(tmp_path: Path) -> None:
    built = [build(tmp_path / str(seed) / "pulse.duckdb", seed) for seed in range(3)]
    assert len({path.read_bytes() for path in built}) == 3
    contents = [settle(path) for path in built]
    assert contents[0] == contents[1] == contents[2] == warehouse_content(built[0])
    assert {"raw.numbers", "marts.figures", "marts.latest"} == set(contents[0])
    assert len({path.read_bytes() for path in built}) == 1
    once = built[0].read_bytes()
    settle(built[0])
    assert built[0].read_bytes() == once
    assert [path.name for path in built[0].parent.iterdir()] == ["pulse.duckdb"]


def test_other_content_has_other_bytes(tmp_path: Path) -> None:
    one = build(tmp_path / "one" / "pulse.duckdb", 1)
    other = build(tmp_path / "other" / "pulse.duckdb", 1, changed=True)
    assert settle(one) != settle(other)
    assert one.read_bytes() != other.read_bytes()


def test_no_zero_has_a_sign(tmp_path: Path) -> None:
    files = []
    for name, zero in (("one", "-0.0"), ("other", "0.0")):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "pulse.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute("create table t (n integer, figure double)")
            connection.executemany(
                "insert into t values (?, ?::double)",
                [[n, each] for n, each in enumerate([zero, "1.5", "nan", None, "-2", zero])],
            )
        settle(path)
        with duckdb.connect(str(path), read_only=True) as connection:
            found = connection.execute("select cast(figure as varchar) from t order by n")
            assert [told for (told,) in found.fetchall()] == [
                "0.0",
                "1.5",
                "nan",
                None,
                "-2.0",
                "0.0",
            ]
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_comments_and_views_are_kept(tmp_path: Path) -> None:
    path = build(tmp_path / "one" / "pulse.duckdb", 1)
    settle(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        told = connection.execute(
            "select comment from duckdb_tables() where table_name = 'figures' union all "
            "select comment from duckdb_columns() where table_name = 'figures' "
            "and column_name = 'figure'"
        ).fetchall()
        assert told == [("One row a figure.",), ("In percent.",)]
        assert connection.execute("select count(*) from marts.latest").fetchone() == (5900,)


def test_what_was_dropped_does_not_leave_the_building(tmp_path: Path) -> None:
    path = build(tmp_path / "one" / "pulse.duckdb", 1)
    assert SECRET.encode() in path.read_bytes()
    settle(path)
    assert SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    "fault",
    [
        "drop table raw.numbers",
        "delete from marts.figures where n = 4",
        "comment on column marts.figures.figure is null",
        "create or replace view marts.latest as select * from marts.figures",
        "create table marts.stray as select 1 as n",
    ],
)
def test_a_copy_that_is_not_the_build_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    path = build(tmp_path / "one" / "pulse.duckdb", 1)
    before = path.read_bytes()
    write = settled._written_apart

    def write_wrongly(build: Path, target: Path) -> None:
        write(build, target)
        with duckdb.connect(str(target)) as connection:
            connection.execute(fault)

    monkeypatch.setattr(settled, "_written_apart", write_wrongly)
    with pytest.raises(WorkspaceError) as told:
        settle(path)
    assert told.value.code == "not_settled"
    assert path.read_bytes() == before
    assert [left.name for left in path.parent.iterdir()] == ["pulse.duckdb"]


def test_a_folder_that_may_not_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build(tmp_path / "one" / "pulse.duckdb", 1)
    before = path.read_bytes()

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(settled.tempfile, "mkdtemp", refuse)
    with pytest.raises(WorkspaceError, match="Permission denied") as told:
        settle(path)
    assert told.value.code == "unwritable_warehouse"
    assert path.read_bytes() == before


def test_a_disk_that_is_full_is_told_and_leaves_the_build(tmp_path: Path) -> None:
    path = build(tmp_path / "one" / "pulse.duckdb", 1)
    before = path.read_bytes()
    done = subprocess.run(
        [
            *("prlimit", "--fsize=100000", sys.executable, "-c"),
            "import sys; from pathlib import Path; from warehouse.settled import settle\n"
            "from sources.errors import PulseError\n"
            "try: settle(Path(sys.argv[1]))\n"
            "except PulseError as error: print(error.code, error)",
            str(path),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("unwritable_warehouse")
    assert "File too large" in done.stdout
    assert path.read_bytes() == before
    assert [left.name for left in path.parent.iterdir()] == ["pulse.duckdb"]
