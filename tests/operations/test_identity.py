"""The identity of a build changes with each thing that its content depends on, and with nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources.catalogue import Catalogue, load_catalogue
from sources.selection import EditionUsed
from warehouse import identity
from warehouse.identity import build_identity, code_files, code_version
from warehouse.workspace import PROJECT

USED = EditionUsed(
    dataset="dcms_participation",
    edition="2023-24",
    state="accepted",
    origin="publisher",
    revision="0" * 12,
    file_sha256="0" * 64,
    file_name="tables.ods",
    address=None,
    retrieved_at=datetime(2026, 1, 1, tzinfo=UTC),
    figures=636,
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of one file of each kind, in its place; the rest of the project is not needed."""
    for name in (
        "sources/catalogue/dcms_participation.yaml",
        "sources/parsers/tidy.py",
        "sources/bundled/dcms_participation/2023-24.csv",
        "warehouse/contracts.py",
        "warehouse/queries/01_worse_than_england.sql",
        "orchestration/summary.py",
        "dbt_project/dbt_project.yml",
        "dbt_project/seeds/areas.csv",
        "dbt_project/macros/statistics/z_score.sql",
        "dbt_project/models/marts/barometers.sql",
        "docs/methods.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / name, tmp_path / name)
    (tmp_path / "pyproject.toml").write_bytes((PROJECT / "pyproject.toml").read_bytes())
    monkeypatch.setattr(identity, "PROJECT", tmp_path)
    return tmp_path


def test_a_byte_in_any_file_that_matters_is_another_build(project: Path) -> None:
    catalogue = load_catalogue()
    files = code_files()
    assert len(files) == 11
    seen = {(build_identity(catalogue, [USED]), code_version())}
    for path in files:
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        seen.add((build_identity(catalogue, [USED]), code_version()))
        path.write_bytes(before)
    assert len(seen) == len({each for each, _ in seen}) == len({each for _, each in seen}) == 12


def test_what_is_no_code_changes_nothing(project: Path) -> None:
    before = build_identity(load_catalogue(), [USED])
    for name in (
        "dbt_project/target/manifest.yml",
        "warehouse/__pycache__/x.py",
        "warehouse/exports/csv/pulse.csv",
        "sources/notes.txt",
        "tests/test_x.py",
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x", encoding="utf-8")
    assert build_identity(load_catalogue(), [USED]) == before


def test_what_was_used_counts_and_in_no_order() -> None:
    catalogue = load_catalogue()
    other = replace(USED, edition="2024-25")
    one = build_identity(catalogue, [USED, other])
    assert build_identity(catalogue, [other, USED]) == one
    changed = [
        build_identity(catalogue, [USED]),
        # A byte in a landed file is another sha256.
        build_identity(catalogue, [replace(USED, file_sha256="1" * 64), other]),
        build_identity(catalogue, [replace(USED, origin="transcribed"), other]),
        build_identity(catalogue, [replace(USED, figures=635), other]),
    ]
    assert len({one, *changed}) == 5


def test_a_line_of_the_catalogue_and_a_noticed_edition_count() -> None:
    catalogue = load_catalogue()
    dataset = catalogue.dataset("dcms_participation")
    one = build_identity(catalogue, [USED])
    retitled = dataset.model_copy(update={"title": "Another title"})
    noticed = dataset.editions[-1].model_copy(update={"edition": "2031-32"})
    longer = dataset.model_copy(update={"editions": (*dataset.editions, noticed)})
    for changed in (retitled, longer):
        others = Catalogue({**catalogue.datasets, dataset.code: changed})
        assert build_identity(others, [USED]) != one


def test_another_library_is_another_build(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = load_catalogue()
    one = build_identity(catalogue, [USED])
    monkeypatch.setattr(identity, "libraries", lambda: {"duckdb": "0.1"})
    assert build_identity(catalogue, [USED]) != one
