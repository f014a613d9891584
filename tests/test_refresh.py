"""Whole refreshes from the figures that ship with the project, through the command line."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from demonstration.publisher_files import file_name, write_publisher_file
from orchestration.defs.alerts import red_checks
from sources.areas import AreaBook
from sources.arrival import hand_in
from sources.catalogue import load_catalogue
from sources.landing import LandingStore
from tests.conftest import run_pulse
from warehouse.connection import reading
from warehouse.release import hash_tree
from warehouse.workspace import SEEDS, Workspace

pytestmark = pytest.mark.slow


def test_nothing_in_a_release_is_made_up_and_every_figure_is_cited(
    released_workspace: Workspace,
) -> None:
    with reading(released_workspace.warehouse_file) as connection:
        origins = {
            origin
            for (origin,) in connection.execute(
                "select distinct origin from marts.barometers where value is not null"
            ).fetchall()
        }
        uncited = connection.execute(
            "select count(*) from marts.barometers b where value is not null and not exists "
            "(select 1 from marts.provenance p where p.provenance_id = b.provenance_id)"
        ).fetchone()
        claims = dict(
            connection.execute(
                "select verdict, count(*) from marts.report_reconciliation group by verdict"
            ).fetchall()
        )
    assert origins == {"transcribed", "reported", "derived"}
    assert uncited == (0,)
    assert sum(claims.values()) == 52
    assert claims["contradicted_within_report"] == 2
    assert claims["possible"] >= 2


def test_every_link_of_a_release_leads_to_a_file(released_workspace: Workspace) -> None:
    site = (released_workspace.exports / "site").resolve()
    broken = []
    for path in sorted(site.glob("*.html")):
        text = path.read_text(encoding="utf-8")
        for address in set(re.findall(r'(?:href|src|srcset)="([^"]+)"', text)):
            if address.startswith(("http://", "https://", "mailto:")):
                continue
            name, _, anchor = html.unescape(address).partition("#")
            target = site / name if name else path
            if not target.is_file():
                broken.append(f"{path.name}: {address}")
            elif anchor and "=" not in anchor and target.suffix == ".html":
                found = text if target == path else target.read_text(encoding="utf-8")
                if f'id="{anchor}"' not in found:
                    broken.append(f"{path.name}: {address}")
    assert broken == []


def test_a_made_up_file_never_reaches_readers(own_workspace: Callable[[], Workspace]) -> None:
    workspace = own_workspace()
    before = hash_tree(workspace.current_release.resolve())
    dataset = load_catalogue().dataset("dcms_participation")
    edition = dataset.edition("2023-24")
    areas = AreaBook.from_seeds(SEEDS)
    path = workspace.root / file_name(dataset, "2023-24", "ods")
    path.write_bytes(write_publisher_file(dataset, edition, areas, seed=3))
    store = LandingStore(workspace.landing, workspace.quarantine)
    lines = hand_in(dataset, edition, path, store, areas, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert "will not be released" in "\n".join(lines)

    done = run_pulse(workspace.root, "refresh", "--offline", check=False)

    assert done.returncode == 1
    assert "origin_is_releasable" in done.stdout
    assert "is still what readers see" in done.stdout
    assert hash_tree(workspace.current_release.resolve()) == before


def test_a_refused_file_is_red_until_it_is_set_aside(
    own_workspace: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the terminal, in Dagster and in the list of datasets; only its dataset is read again."""
    workspace = own_workspace()
    wanted = ("smc_promising_prospects", "2025")
    path = workspace.root / "index.csv"
    path.write_text("no index", encoding="utf-8")
    assert run_pulse(workspace.root, "land", *wanted, str(path), check=False).returncode == 1
    monkeypatch.setenv("DAGSTER_HOME", str(workspace.root / "dagster_home"))

    def refresh(*options: str) -> tuple[str, list[str]]:
        done = run_pulse(workspace.root, "refresh", "--offline", *options)
        with dg.DagsterInstance.get() as instance:
            (run,) = instance.get_runs(limit=1)
            return done.stdout, red_checks(instance, run.run_id)

    printed, red = refresh("--dry-run")
    assert "REFUSED     smc_promising_prospects 2025: index.csv" in printed
    observed = [line for line in printed.splitlines() if "  observed  " in line]
    again = {line.split()[3] for line in observed if "as read before" not in line}
    assert again == {wanted[0]}
    assert red == ["observations/smc_promising_prospects: every_file_keeps_the_contract"]
    listed = run_pulse(workspace.root, "datasets").stdout
    (revision,) = re.findall(r"refused  (\w{12}) index.csv", listed)

    run_pulse(workspace.root, "unland", *wanted, revision, "--why", "the wrong file")

    printed, red = refresh()
    assert "REFUSED" not in printed
    assert red == []
    assert "the wrong file" in run_pulse(workspace.root, "datasets").stdout


def test_the_transcript_says_what_a_person_wants_to_know(released_workspace: Workspace) -> None:
    transcript = (released_workspace.root / "transcript.txt").read_text(encoding="utf-8")
    for heading in (
        "What was used",
        "Figures in the barometers",
        "What has no figure, and why",
        "Checks",
        "Release 1",
        "make ui",
    ):
        assert heading in transcript, heading
    assert " 0 red" in transcript
    assert "FAILED" not in transcript
    assert "RED" not in transcript


def test_an_unknown_dataset_or_a_missing_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    for arguments in (
        ("land", "no_such_dataset", "2023-24", "x.xlsx"),
        ("land", "dcms_community_life", "1999-00", "x.xlsx"),
        ("land", "dcms_community_life", "2023-24", str(tmp_path / "absent.xlsx")),
        ("rollback", "7"),
        ("diff", "1", "2"),
        ("rebuild", "1"),
        ("backfill", "no_such_dataset", "2023-24"),
        ("backfill", "dcms_community_life", "1999-00"),
        ("backfill", "young_foundation_report", "2023-24"),
    ):
        done = run_pulse(tmp_path, *arguments, check=False)
        assert done.returncode == 1, arguments
        assert "Traceback" not in done.stderr, arguments
        assert done.stderr.strip(), arguments
