"""Percentages from answers: their intervals, what is withheld, and that no answer goes anywhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from demonstration.local_survey import SURVEY
from orchestration.cli import main
from sources.errors import ParseError
from sources.respondents import Design, results_of, withhold
from tests.conftest import run_pulse
from warehouse.workspace import Workspace

MARKER = "Zaphod-4711"
DESIGN = {
    "weight": "weight",
    "stratum": "ward",
    "small_area": "ward",
    "breakdowns": {"sex": "sex"},
    "questions": {"trust": {"column": "q1", "counted": ["Many"]}},
}
WARDS = {"E05999901": (0.30, 9000), "E05999902": (0.45, 6000), "E05999903": (0.60, 3000)}
TRUTH = sum(share * people for share, people in WARDS.values()) / 18000


def sample(seed: int, size: int = 2000) -> pd.DataFrame:
    """A stratified sample of a population whose shares are known: a third of it from each ward."""
    draw = np.random.default_rng(seed)
    parts = []
    for ward, (share, people) in WARDS.items():
        count = size // 3 + (ward == "E05999901") * (size - 3 * (size // 3))
        yes = draw.random(count) < share
        parts.append(
            pd.DataFrame(
                {
                    "id": [f"{MARKER}-{n}" for n in range(count)],
                    "ward": ward,
                    "weight": people / count,
                    "sex": draw.choice(["Female", "Male"], count),
                    "q1": np.where(yes, "Many", "Some"),
                    "remarks": f"I am {MARKER}",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def folder_of(path: Path, answers: pd.DataFrame, **design: object) -> Path:
    path.mkdir(parents=True)
    questions = [SURVEY["questions"][0]]
    (path / "survey.yaml").write_text(yaml.safe_dump({**SURVEY, "questions": questions}))
    (path / "respondents.yaml").write_text(yaml.safe_dump({**DESIGN, **design}))
    answers.to_csv(path / "respondents.csv", index=False)
    return path


def cell(category: str, base: int, count: int, group: str = "sex") -> dict[str, object]:
    figures = {"value": 50.0, "lower_95": 45.0, "upper_95": 55.0}
    return {"category": category, "group": group, "base": base, "count": count, **figures}


def withheld(*cells: dict[str, object]) -> set[str]:
    found = withhold(pd.DataFrame(cells), Design.model_validate(DESIGN))
    return set(found.loc[found[["value", "lower_95", "base"]].isna().all(axis=1), "category"])


@pytest.mark.planted_fault
def test_small_cells_are_withheld_and_so_is_what_would_give_them_away() -> None:
    whole = cell("all", 500, 250, "all")
    assert withheld(whole, cell("a", 200, 100), cell("b", 300, 150)) == set()
    # Fewer than 30 answers: b could be found from the whole less the others, so the smallest goes too.
    three = (cell("a", 280, 140), cell("b", 20, 10), cell("c", 200, 100))
    assert withheld(whole, *three) == {"b", "c"}
    # Two that are small hide each other.
    assert withheld(whole, cell("a", 455, 220), cell("b", 20, 12), cell("c", 25, 12)) == {"b", "c"}
    # Nearly all, or nearly none, gave the response.
    assert withheld(whole, cell("a", 300, 4), cell("b", 200, 100)) == {"a", "b"}
    assert withheld(whole, cell("a", 300, 295), cell("b", 200, 100)) == {"a", "b"}
    # A ward needs 100 answers, a breakdown 30.
    wards = [cell(name, base, base // 2, "small areas") for name, base in (("x", 99), ("y", 150))]
    assert withheld(whole, *wards) == {"x", "y"}


@pytest.mark.planted_fault
@pytest.mark.parametrize(
    ("change", "design", "words"),
    [
        ({"weight": MARKER}, {}, "no positive number"),
        ({}, {"weight": "wt"}, "columns that .* are missing: wt"),
        ({}, {"questions": {"other": {"column": "q1", "counted": ["Many"]}}}, "does not have"),
        ({}, {"minimum_count": 1}, "minimum_count"),
    ],
)
def test_a_fault_is_named_and_no_answer_is_quoted(
    tmp_path: Path, change: dict[str, object], design: dict[str, object], words: str
) -> None:
    folder = folder_of(tmp_path / "survey", sample(1, 60).assign(**change), **design)
    with pytest.raises(ParseError, match=words) as caught:
        results_of(folder)
    assert MARKER not in str(caught.value)


def estimates(folder: Path) -> pd.DataFrame:
    import io

    return pd.read_csv(io.BytesIO(results_of(folder)["results.csv"]))


def coverage(tmp_path: Path, samples: int) -> dict[str, float]:
    """How often the intervals contain the truth, by kind of cell."""
    hits: dict[str, list[bool]] = {"all": [], "ward": []}
    for seed in range(samples):
        rows = estimates(folder_of(tmp_path / str(seed), sample(seed)))
        for row in rows.itertuples():
            if row.breakdown != "all":
                continue
            kind = "ward" if row.area_code in WARDS else "all"
            truth = 100 * WARDS[row.area_code][0] if kind == "ward" else 100 * TRUTH
            hits[kind].append(bool(row.lower_95 <= truth <= row.upper_95))
    return {kind: float(np.mean(found)) for kind, found in hits.items()}


@pytest.mark.slow
def test_the_intervals_cover_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    samples = int(os.environ.get("PULSE_COVERAGE_SAMPLES", "120"))
    for kind, share in coverage(tmp_path, samples).items():
        # Three standard errors of a share of 95% in as many samples.
        assert abs(share - 0.95) < 3 * (0.95 * 0.05 / samples) ** 0.5, kind


@pytest.mark.slow
def test_a_stratified_estimate_is_that_of_the_textbook(tmp_path: Path) -> None:
    """Weights of the strata and the sum of their variances (Cochran, Sampling Techniques, chapter 5)."""
    answers = sample(7)
    row = estimates(folder_of(tmp_path / "one", answers)).iloc[0]
    grouped = answers.assign(yes=answers["q1"].eq("Many")).groupby("ward")["yes"]
    shares, counts = grouped.mean(), grouped.size()
    part = pd.Series({ward: people / 18000 for ward, (_, people) in WARDS.items()})
    value = float((part * shares).sum())
    se = float((part**2 * shares * (1 - shares) / (counts - 1)).sum() ** 0.5)
    assert row["value"] == pytest.approx(100 * value, abs=0.06)
    width = 2 * 1.96 * 100 * se
    assert row["upper_95"] - row["lower_95"] == pytest.approx(width, abs=0.15)


@pytest.mark.slow
@pytest.mark.planted_fault
def test_no_answer_is_found_in_anything_that_is_written(
    own_workspace: Callable[[], Workspace],
) -> None:
    """Markers in ids and remarks, then a landing, a refused landing and a whole refresh."""
    home = own_workspace().root
    inbox = home / "inbox" / "respondents"
    good = folder_of(inbox / "residents", sample(3))
    bad = folder_of(inbox / "broken", sample(3).assign(weight=MARKER))
    said = ""
    for words, code in (
        (["land-survey", str(good)], 0),
        (["land-survey", str(bad)], 1),
        (["refresh", "--offline"], 0),
    ):
        run = run_pulse(home, *words, check=False)
        assert run.returncode == code, run.stderr
        said += run.stdout + run.stderr
    assert MARKER not in said
    assert "published   release 2" in said
    written = [
        path
        for path in home.rglob("*")
        if path.is_file() and not path.is_symlink() and inbox not in path.parents
    ]
    assert sum(path.name == "pulse.duckdb" for path in written) > 2
    assert any(home / "dagster_home" in path.parents for path in written)
    assert [str(path) for path in written if MARKER.encode() in path.read_bytes()] == []


def test_the_command_says_what_is_missing_where_the_extra_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "samplics.estimation", None)
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "home"))
    folder = folder_of(tmp_path / "survey", sample(1, 60))
    said = CliRunner().invoke(main, ["land-survey", str(folder)])
    assert said.exit_code == 1
    assert "pulse-barometers[microdata]" in said.output
