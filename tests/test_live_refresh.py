"""Whole refreshes against publishers on loopback: what is fetched, kept, refused and reported.

The publishers are real HTTP servers that send made-up files in the real layouts. Everything runs
through the command line, as on the morning of a refresh.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import run_pulse
from tests.publishers.servers import FakePublishers, html_page, publishers
from tests.publishers.world import (
    catalogue,
    fetched_editions,
    file_address,
    made_up,
    publish,
    publish_all,
    usual,
)
from warehouse.release import current_release
from warehouse.workspace import Workspace

pytestmark = pytest.mark.slow

# A port on which nothing listens.
NOWHERE = {"PULSE_SMC_BASE": "http://127.0.0.1:9"}
SEVEN = tuple(f"E080000{n}" for n in range(25, 32))


@pytest.fixture(scope="module")
def world() -> Iterator[FakePublishers]:
    with publishers() as running:
        publish_all(running)
        yield running


def environment(world: FakePublishers) -> dict[str, str]:
    settings = world.settings
    return {
        f"PULSE_{name.upper()}_BASE": getattr(settings, name)
        for name in ("govuk", "govuk_assets", "ons", "ons_geography", "nomis", "smc")
    }


def ask(workspace: Workspace, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(workspace.warehouse_file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_morning_of_refreshes(world: FakePublishers, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    variables = environment(world)

    # The first morning: every figure comes from a publisher.
    run_pulse(tmp_path, "refresh", PYTHONHASHSEED="1", **variables)
    used = {
        (d, e): o
        for d, e, o in ask(workspace, "select dataset, edition, origin from meta.editions")
    }
    assert {used[d.code, e.edition] for d, e in fetched_editions()} == {"publisher"}
    held = ask(
        workspace,
        "select count(distinct barometer_id), count(*) from marts.barometers "
        f"where is_latest and value is not null and area_code in {SEVEN}",
    )
    assert held == [(16, 16 * 7)]
    # The national series before 2022 is carried; no file of it is fetched.
    origins = ask(
        workspace,
        "select distinct origin from marts.barometers where value is not null and edition > '2022'",
    )
    assert {str(o) for (o,) in origins} == {"publisher", "derived"}
    cold = sum(world.asked().values())

    # The next morning: nothing is new, one request an edition, and no new release.
    first = current_release(workspace)
    done = run_pulse(tmp_path, "refresh", **variables)
    assert "Nothing changed: release" in done.stdout
    assert current_release(workspace) == first
    unchanged = sum(world.asked().values()) - cold
    print(json.dumps({"requests cold": cold, "requests unchanged": unchanged}))
    assert unchanged <= len(fetched_editions()) + 2

    # One publisher sends an error page under its file's address: yesterday's figures stay. Another
    # revises some figures under the same name, and each is shown.
    dataset = catalogue().dataset("dcms_community_life")
    edition = dataset.edition("2024-25")
    publish(world, dataset, edition, made_up(dataset.code, "2024-25", seed=9))
    server, path = file_address(dataset, edition)
    world.script(server, path, html_page)
    index = catalogue().dataset("smc_innovation_and_growth")
    newest = index.edition("2025")
    content, revised = with_revisions(usual(index, newest), 30)
    publish(world, index, newest, content)
    figures = f"from marts.barometers where dataset = '{dataset.code}' order by all"
    before = ask(workspace, figures)
    done = run_pulse(tmp_path, "refresh", **variables)
    assert "html" in done.stdout.lower()
    assert ask(workspace, figures) == before
    assert list((workspace.quarantine / dataset.code / "2024-25").rglob("reasons.json"))
    changed = ask(
        workspace,
        "select count(*) from meta.revisions where dataset = 'smc_innovation_and_growth' "
        "and edition = '2025' and kind = 'changed' and field = 'value'",
    )
    assert changed == [(revised,)]
    now = current_release(workspace)
    assert now is not None
    shown = run_pulse(tmp_path, "diff", "1", str(now.number))
    assert shown.stdout.count("(revision)") == revised

    # One edition is fetched afresh, whatever is remembered of it, and nobody else is asked.
    asked_before = world.asked()
    done = run_pulse(tmp_path, "backfill", index.code, newest.edition, **variables)
    assert "Nothing changed: release" in done.stdout
    assert dict(world.asked() - asked_before) == {"smc": 1}

    unreached = run_pulse(
        tmp_path, "backfill", index.code, newest.edition, check=False, **{**variables, **NOWHERE}
    )
    assert unreached.returncode == 1
    assert "is still what readers see" in unreached.stdout
    assert "run it again when the publisher answers" in unreached.stdout

    # The first release is made again from what was held then, though figures were revised since.
    # No two processes iterate over a set in one order: nothing that is written may depend on it.
    asked_before = world.asked()
    done = run_pulse(tmp_path, "rebuild", "1", PYTHONHASHSEED="2", **variables)
    found = re.search(r"(\d+) of (\d+) tables and files have the same content", done.stdout)
    assert found, done.stdout
    same, everything = map(int, found.groups())
    assert same == everything > 300
    assert world.asked() == asked_before


def with_revisions(content: bytes, wanted: int) -> tuple[bytes, int]:
    """An index file with some values moved by a thousandth, none of them across a group's limit."""
    lines = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    column = lines[0].index("value")
    moved = 0
    for line in lines[1:]:
        value = float(line[column])
        if moved < wanted and 0.1 < abs(value) % 0.5 < 0.4:
            line[column] = f"{value + 0.001:.3f}"
            moved += 1
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue().encode(), moved
