"""The parsed dbt project: never torn, never stale, and told where it cannot be made."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestration.defs import transform
from orchestration.defs.transform import TransformError, ensure_manifest


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A target folder of its own, and a dbt that writes its manifest in two halves."""
    folder = tmp_path / "target"
    monkeypatch.setattr(transform, "MANIFEST", folder / "manifest.json")
    return folder


def pretend_dbt(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Let a function stand in for dbt; it is given the folder that dbt is told to write to."""

    def run(words: list[str], **keywords: Any) -> subprocess.CompletedProcess[str]:
        folder = Path(keywords["env"]["DBT_TARGET_PATH"])
        folder.mkdir(parents=True, exist_ok=True)
        return subprocess.CompletedProcess(words, act(folder) or 0, "what dbt said", "")

    monkeypatch.setattr(transform.subprocess, "run", run)


def test_a_killed_parse_leaves_no_manifest(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a manifest is written aside; what is in place is whole, or not there."""

    def killed(folder: Path) -> None:
        (folder / "manifest.json").write_text('{"nodes": {', encoding="utf-8")
        raise KeyboardInterrupt

    pretend_dbt(monkeypatch, killed)
    with pytest.raises(KeyboardInterrupt):
        ensure_manifest()
    assert not (target / "manifest.json").exists()

    pretend_dbt(monkeypatch, lambda folder: (folder / "manifest.json").write_text("{}") and 0)
    assert json.loads(ensure_manifest().read_text(encoding="utf-8")) == {}
    assert not [path for path in target.iterdir() if path.name == ".manifest.json"]


def test_only_a_stale_manifest_is_made_again(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made once; and once more where a file is newer than the start of its reading."""
    runs = []

    def parse(folder: Path) -> None:
        runs.append(folder)
        (folder / "manifest.json").write_text("{}", encoding="utf-8")

    pretend_dbt(monkeypatch, parse)
    manifest = ensure_manifest()
    ensure_manifest()
    assert len(runs) == 1
    # As if a model had been saved after the reading began.
    os.utime(manifest, (0, 0))
    ensure_manifest()
    assert len(runs) == 2


def test_dbt_s_own_words_are_in_the_message(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the manifest before it stays."""
    pretend_dbt(monkeypatch, lambda _: 2)
    with pytest.raises(TransformError, match="what dbt said"):
        ensure_manifest()
    assert not (target / "manifest.json").exists()


def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name, with what to do: the code of a server is read-only."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(transform, "MANIFEST", tmp_path / "file" / "target" / "manifest.json")
    with pytest.raises(TransformError, match=r"deploy/README\.md") as told:
        ensure_manifest()
    assert told.value.code == "unwritable_target"
