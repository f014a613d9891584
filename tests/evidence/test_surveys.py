"""Results of local surveys: what is read, what is refused, and where they may be compared."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from demonstration.local_survey import SURVEY, write_local_survey
from orchestration.cli import main
from sources.areas import AreaBook
from sources.errors import ParseError
from sources.inbox import barometers, hand_in_survey, read_inbox
from sources.surveys import read_survey
from tests.proof.dbt_sql import render
from tests.scratch import database
from warehouse.raw import TABLES
from warehouse.workspace import DBT_PROJECT, SEEDS

AREAS = AreaBook.from_seeds(SEEDS)
HEADER = "question,area_code,area_name,breakdown,category,value,lower_95,upper_95,base\n"


def survey(folder: Path, rows: str, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "survey.yaml").write_text(yaml.safe_dump({**SURVEY, **changes}))
    (folder / "results.csv").write_text(HEADER + rows)
    return folder


def test_a_small_ward_is_withheld_and_everything_else_is_read(tmp_path: Path) -> None:
    folder = write_local_survey(tmp_path / "residents", seed=1)
    rows = read_survey(folder, AREAS, barometers(SEEDS)).rows
    assert set(rows["origin"]) == {"local"}
    assert len(rows) == 18
    withheld = rows[rows["value"].isna()]
    assert set(withheld["area_code"]) == {"E05999903"}
    assert withheld["base"].isna().all()
    assert set(withheld["reason"]) == {"fewer than 100 people answered"}
    assert set(rows["area_level"]) == {"lad", "ward"}


@pytest.mark.planted_fault
def test_every_fault_of_a_survey_is_listed_at_once_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "home"))
    rows = (
        "trust,E08000030,,all,all,141,,,500\n"
        "trust,E08999999,,all,all,41,,,500\n"
        "trust,E05999901,A,all,all,41,44,38,500\n"
        "nothing,E08000030,,all,all,41,,,500\n"
        "attractive,E08000030,,all,all,many,,,500\n"
        "attractive,E08000030,,sex,Female,40,,,\n"
        "attractive,E08000030,,sex,,40,,,500\n"
    )
    folder = survey(tmp_path / "survey", rows, area="E08999999", ends="2024-01-01")
    said = CliRunner().invoke(main, ["land-survey", str(folder)])
    assert said.exit_code == 1
    for words in (
        "E08999999 is not in the list",
        "is before",
        "row 2: a percentage is between 0 and 100",
        "row 3, area_code",
        "row 4: the interval does not contain the value",
        "row 5, question",
        "row 6, value: 'many' is no number",
        "row 7, base",
        "row 8: a category needs its breakdown",
    ):
        assert words in said.output, words
    assert not (tmp_path / "home" / "inbox").exists()


@pytest.mark.planted_fault
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "by post pigeon"}, "mode"),
        ({"title": "Write to a.person@example.org"}, "an e-mail address"),
        ({"source": "Ring 01922 496 123"}, "a telephone number"),
        ({"questions": []}, "questions"),
        ({"questions": [{**SURVEY["questions"][0], "barometer": "luck"}]}, "no barometer luck"),
        ({"questions": [{**SURVEY["questions"][1], "note": ""}]}, "say in note"),
        ({"questions": [{**SURVEY["questions"][2], "wording_is": "same"}]}, "same as what"),
    ],
)
def test_a_description_that_breaks_its_contract_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    folder = survey(tmp_path / "survey", "trust,E08000030,,all,all,41,,,500\n", **changes)
    with pytest.raises(ParseError, match=words):
        read_survey(folder, AREAS, barometers(SEEDS))


def test_a_survey_that_was_made_up_is_marked_wherever_it_goes(tmp_path: Path) -> None:
    folder = write_local_survey(tmp_path / "synthetic-residents", seed=1)
    hand_in_survey(folder, tmp_path / "inbox", SEEDS)
    inbox = read_inbox(tmp_path / "inbox", SEEDS)
    assert set(inbox.tables["local_surveys"]["origin"]) == {"synthetic"}
    assert {each.origin for each in inbox.editions} == {"synthetic"}


PAIR: dict[str, Any] = {
    "dataset": "residents",
    "edition": "2024",
    "measure": "trust",
    "area_code": "E08000030",
    "area_level": "lad",
    "breakdown": "all",
    "category": "all",
    "unit": "percent",
    "value": 48.0,
    "base": 1200,
    "se": 1.7,
    "barometer": "trust_in_neighbours",
    "wording_is": "same",
    "mode": "online_and_paper",
    "origin": "local",
    "comparator_value": 41.0,
    "comparator_lower_95": 38.0,
    "comparator_upper_95": 44.0,
    "comparator_se": 1.53,
    "comparator_mode": "online_and_paper",
    "comparator_origin": "publisher",
}


LOADED = TABLES["local_surveys"].columns
COLUMNS = (
    f"{', '.join(f'{name} {kind}' for name, kind in LOADED.items())}, decimals integer, se double, comparator_dataset varchar, "
    "comparator_edition varchar, comparator_series varchar, comparator_mode varchar, "
    "comparator_value double, comparator_lower_95 double, comparator_upper_95 double, "
    "comparator_se double, comparator_origin varchar, comparator_decimals integer, "
    "share_of_comparator double, share_in_area double"
)


@cache
def model() -> str:
    return render((DBT_PROJECT / "models" / "marts" / "local_surveys.sql").read_text())


def compare_pair(**changes: Any) -> dict[str, Any]:
    """The row of the mart that comes of one pair of figures."""
    row = {**PAIR, **changes}
    with database() as connection:
        connection.execute(f"create table int_local_survey_pairs ({COLUMNS})")
        names, marks = ", ".join(row), ", ".join("?" for _ in row)
        connection.execute(
            f"insert into int_local_survey_pairs ({names}) values ({marks})", list(row.values())
        )
        cursor = connection.execute(model())
        columns = [column[0] for column in cursor.description]
        (found,) = cursor.fetchall()
    return dict(zip(columns, found, strict=True))


def test_the_same_question_in_the_same_mode_is_tested_with_caution() -> None:
    found = compare_pair()
    assert found["outcome"] == "higher"
    assert found["grade"] == "caution"
    assert found["difference"] == pytest.approx(7)
    # Two independent samples: the errors add in squares.
    assert found["difference_se"] == pytest.approx((1.7**2 + 1.53**2) ** 0.5, rel=0.02)
    assert compare_pair(value=42.0)["outcome"] == "similar"


@pytest.mark.planted_fault
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"wording_is": "similar"}, "wording"),
        ({"mode": "telephone"}, "another way"),
        ({"comparator_mode": None}, "another way"),
        ({"barometer": None}, "no barometer"),
        ({"comparator_value": None}, "no national figure"),
        ({"comparator_origin": "reported"}, "quoted"),
        ({"se": None}, "no interval"),
        ({"value": None}, "withholds"),
    ],
)
def test_there_is_no_test_without_all_that_it_needs(change: dict[str, Any], words: str) -> None:
    found = compare_pair(**change)
    assert found["outcome"] == "cannot_say"
    assert words in found["reason"]
    assert found["z"] is None
    assert found["grade"] is None
