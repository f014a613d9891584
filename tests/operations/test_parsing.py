"""dbt in our process: the parsed project is whole and fresh, and a build leaves nothing open."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from sources.catalogue import load_catalogue
from sources.errors import PulseError
from tests.lazy import lazy
from warehouse.raw import load

pytestmark = pytest.mark.slow

dbt = lazy("orchestration.dbt")


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A target folder of its own."""
    folder = tmp_path / "target"
    monkeypatch.setattr(dbt, "MANIFEST", folder / "manifest.json")
    return folder


def pretend_dbt(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], bool]) -> None:
    """A function in dbt's place; it gets the folder to write to and returns whether it succeeded."""

    def invoke(words: list[str], folder: Path, callback: Callable[[Any], None]) -> SimpleNamespace:
        folder.mkdir(parents=True, exist_ok=True)
        success = act(folder)
        if not success:
            info = SimpleNamespace(level="error", msg="what dbt reported")
            callback(SimpleNamespace(info=info))
        return SimpleNamespace(success=success, exception=None)

    monkeypatch.setattr(dbt, "_invoke", invoke)


def parsed(folder: Path) -> bool:
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    (folder / "partial_parse.msgpack").write_bytes(b"")
    return True


def test_a_killed_parse_leaves_no_manifest(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a manifest is written aside; what is in place is whole, or not there."""

    def killed(folder: Path) -> bool:
        (folder / "manifest.json").write_text('{"nodes": {', encoding="utf-8")
        raise KeyboardInterrupt

    pretend_dbt(monkeypatch, killed)
    with pytest.raises(KeyboardInterrupt):
        dbt.ensure_manifest()
    assert not (target / "manifest.json").exists()

    pretend_dbt(monkeypatch, parsed)
    assert json.loads(dbt.ensure_manifest().read_text(encoding="utf-8")) == {}
    assert not list(target.glob(".manifest*"))


def test_only_a_stale_manifest_is_made_again(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made once; and once more where a file is newer than the start of its reading."""
    runs = []

    def parse(folder: Path) -> bool:
        runs.append(folder)
        return parsed(folder)

    pretend_dbt(monkeypatch, parse)
    manifest = dbt.ensure_manifest()
    dbt.ensure_manifest()
    assert len(runs) == 1
    # As if a model had been saved after the reading began.
    os.utime(manifest, (0, 0))
    dbt.ensure_manifest()
    assert len(runs) == 2


def test_dbt_s_own_words_are_in_the_message(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the manifest before it stays."""
    pretend_dbt(monkeypatch, lambda _: False)
    with pytest.raises(PulseError, match="what dbt reported"):
        dbt.ensure_manifest()
    assert not (target / "manifest.json").exists()


def test_a_target_that_cannot_be_written_is_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code of a server is read-only."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(dbt, "MANIFEST", tmp_path / "file" / "target" / "manifest.json")
    with pytest.raises(PulseError, match=r"deploy/README\.md") as raised:
        dbt.ensure_manifest()
    assert raised.value.code == "unwritable_target"


def test_a_build_reports_each_node_and_leaves_the_file_free(tmp_path: Path) -> None:
    """Seeds only, so that it is quick: then the same process opens the file in another mode."""
    dbt.ensure_manifest()
    load(tmp_path / "pulse.duckdb", load_catalogue(), [])
    results = list(dbt.build(["--select", "goals", "--indirect-selection", "cautious"], tmp_path))
    assert {"seed.pulse.goals"} < {result.unique_id for result in results}
    assert all(result.passed for result in results)
    with duckdb.connect(str(tmp_path / "pulse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from reference.goals").fetchall() == [(4,)]


def test_a_warehouse_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """A file that is no database: dbt's own words, and where its log is."""
    dbt.ensure_manifest()
    (tmp_path / "pulse.duckdb").write_bytes(b"not a database" * 100)
    with pytest.raises(PulseError, match=r"dbt\.log"):
        list(dbt.build(["--select", "goals"], tmp_path))
