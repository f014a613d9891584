"""The register of initiatives and evidence: what it holds, what it refuses, and the form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from click.testing import CliRunner

from orchestration.cli import main
from sources.evidence.form import blank_form
from sources.evidence.model import Lists, check
from sources.evidence.register import HEADER_ROW, RegisterError, heading, read_bundled, read_entries
from sources.inbox import hand_in_entries, read_inbox
from warehouse.workspace import SEEDS

LISTS = Lists.from_seeds(SEEDS)
REGISTER = read_bundled(LISTS)
ITEM: Mapping[str, Any] = {
    "id": "garden_day",
    "kind": "quotation",
    "title": "A day in the garden",
    "summary": "Residents said that the garden brought neighbours together",
    "areas": ("E08000030",),
    "goals": ("connected",),
    "outcomes": ("connected.do.2",),
    "capacity": "resident",
    "dated": "2026-05",
    "source": "Walsall Council, notes of the garden day, May 2026",
    "consent": "given",
}
# What is wrong with an entry that was right: the field, and the code of the one fault.
FAULTS: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"source": ""}, "source", "entry_without_source"),
    ({"consent": "not_needed"}, "consent", "quotation_without_consent"),
    ({"summary": "Residents said that 62 % had come"}, "source_place", "figure_without_source"),
    ({"figure": 62.0, "figure_unit": "people"}, "source_place", "figure_without_source"),
    ({"figure": 62.0, "source_place": "page 3"}, "figure_unit", "entry_incomplete"),
    ({"kind": "attendance_figure"}, "figure", "entry_incomplete"),
    ({"summary": "Write to walsall.garden@example.org"}, "summary", "personal_data"),
    ({"summary": "Ring 01922 496 123 to join", "source_place": "p. 1"}, "summary", "personal_data"),
    (
        {"summary": "Ring +44 7700 900123 to join", "source_place": "p. 1"},
        "summary",
        "personal_data",
    ),
    ({"summary": "It is at WS1 1TP"}, "summary", "personal_data"),
    ({"source": "Notes kept by Mrs Kaur, May 2026"}, "source", "personal_data"),
    ({"summary": "It was Amrit Kaur who began it"}, "summary", "personal_data"),
    ({"summary": "We met. Amrit Kaur began it"}, "summary", "personal_data"),
    ({"summary": "They thanked Priya for it"}, "summary", "personal_data"),
    ({"areas": ("E08999999",)}, "areas", "entry_unknown_code"),
    ({"outcomes": ("connected.do.9",)}, "outcomes", "entry_unknown_code"),
    ({"groups": ("everybody",)}, "groups", "entry_unknown_code"),
    ({"dated": "last week"}, "dated", "entry_invalid"),
    ({"kind": "hearsay"}, "kind", "entry_invalid"),
    ({"mood": "good"}, "mood", "entry_invalid"),
    ({"capacity": "fictional_person"}, "capacity", "entry_invalid"),
    ({"kind": "persona", "capacity": "fictional_person"}, "outcomes", "entry_invalid"),
    ({"title": None}, "title", "entry_invalid"),
)


def test_the_register_that_ships_keeps_its_contract_and_reaches_every_goal() -> None:
    assert len(REGISTER.initiatives) >= 6
    assert {goal for each in REGISTER.evidence for goal in each.goals} == set(LISTS.goals)
    assert {each.kind for each in REGISTER.evidence if not each.outcomes} == {"persona"}
    assert all(each.source for each in (*REGISTER.initiatives, *REGISTER.evidence))


@pytest.mark.planted_fault
@pytest.mark.parametrize(("change", "field", "code"), FAULTS, ids=lambda value: str(value)[:40])
def test_each_fault_of_an_entry_is_found_in_its_field(
    change: dict[str, Any], field: str, code: str
) -> None:
    assert not list(check(ITEM, "evidence", LISTS))
    found = [(each.cell, each.code) for each in check(ITEM | change, "evidence", LISTS)]
    assert found == [(field, code)]


def test_a_missing_field_is_named_and_ordinary_capitals_are_no_names() -> None:
    lacking = {name: value for name, value in ITEM.items() if name != "title"}
    (fault,) = check(lacking, "evidence", LISTS)
    assert (fault.cell, fault.code) == ("title", "entry_incomplete")
    fine = ITEM | {
        "summary": "On Monday, English and Urdu classes began in Walsall; NHS staff came. "
        "The Beacon Centre lent a room",
        "names": ("The Beacon Centre",),
    }
    assert not list(check(fine, "evidence", LISTS))


def fill_in(path: Path, *entries: Mapping[str, Any]) -> None:
    """Fill the blank form in as a person would."""
    path.write_bytes(blank_form(LISTS))
    book = openpyxl.load_workbook(path)
    sheet = book["Evidence"]
    columns = {str(cell.value).strip(" *"): cell.column for cell in sheet[HEADER_ROW] if cell.value}
    for row, entry in enumerate(entries, HEADER_ROW + 1):
        for name, value in entry.items():
            text = "; ".join(value) if isinstance(value, tuple) else value
            sheet.cell(row, columns[heading(name)], text)
    book.save(path)


def test_a_filled_in_form_comes_back_as_the_same_entry(tmp_path: Path) -> None:
    chosen = {"kind": "quotation: quotation", "areas": ("E08000030: Walsall",), "dated": 2026}
    fill_in(tmp_path / "form.xlsx", {**ITEM, **chosen})
    read = read_entries((tmp_path / "form.xlsx").read_bytes(), "form.xlsx", LISTS, REGISTER)
    (item,) = read.evidence
    given = item.model_dump(exclude_unset=True)
    assert given == {**ITEM, "dated": "2026"}


def test_the_form_has_its_lists_and_hints(tmp_path: Path) -> None:
    (tmp_path / "form.xlsx").write_bytes(blank_form(LISTS))
    sheet = openpyxl.load_workbook(tmp_path / "form.xlsx")["Evidence"]
    rules = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    headed = {str(cell.value).strip(" *"): cell.column_letter for cell in sheet[HEADER_ROW]}
    for name in ("areas", "goals", "outcomes", "kind", "capacity", "consent"):
        rule = rules[f"{headed[heading(name)]}{HEADER_ROW + 1}"]
        assert rule.type == "list"
        assert rule.formula1.startswith("Lists!")
        assert rule.prompt


@pytest.mark.planted_fault
def test_five_mistakes_in_a_form_are_named_cell_by_cell_and_nothing_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    mistakes = (
        {"source": ""},
        {"consent": ""},
        {"summary": "They thanked Priya for it"},
        {"areas": ("Walsal",)},
        {"figure": 62, "figure_unit": "people"},
    )
    entries = [{**ITEM, "id": f"entry_{n}", **wrong} for n, wrong in enumerate(mistakes, 1)]
    fill_in(tmp_path / "form.xlsx", *entries)
    refused = CliRunner().invoke(main, ["land-evidence", str(tmp_path / "form.xlsx")])
    assert refused.exit_code == 1
    for number, words in enumerate(
        ("there is no source", "consent", "a name that is not listed", "'Walsal'", "place"), 1
    ):
        lines = [line for line in refused.output.splitlines() if f"entry_{number}," in line]
        assert any(words in line for line in lines), f"entry_{number}"
        assert all(f"{HEADER_ROW + number} (" in line for line in lines)
    assert not (tmp_path / "inbox").exists()

    fill_in(tmp_path / "form.xlsx", ITEM)
    taken = CliRunner().invoke(main, ["land-evidence", str(tmp_path / "form.xlsx")])
    assert taken.exit_code == 0, taken.output
    assert len(read_inbox(tmp_path / "inbox", SEEDS).tables["evidence"]) == 1 + len(
        REGISTER.evidence
    )


@pytest.mark.planted_fault
def test_a_bad_file_in_the_inbox_is_refused_alone_and_its_words_are_kept_nowhere(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    good = {name: list(v) if isinstance(v, tuple) else v for name, v in ITEM.items()}
    (folder / "good.yaml").write_text(yaml.safe_dump({"evidence": [good]}))
    bad = {**good, "id": "other", "summary": "They thanked Priya", "dated": "Zaphod"}
    (folder / "bad.yaml").write_text(yaml.safe_dump({"evidence": [bad]}))
    (folder / "broken.yaml").write_text("evidence: [Zaphod: [")
    (folder / "twice.yaml").write_text(yaml.safe_dump({"evidence": [good]}))
    inbox = read_inbox(tmp_path, SEEDS)
    states = {each.edition: each.state for each in inbox.editions}
    assert states == {
        "evidence/bad.yaml": "nothing_held",
        "evidence/broken.yaml": "nothing_held",
        "evidence/good.yaml": "accepted",
        "evidence/twice.yaml": "nothing_held",
    }
    said = str([each.to_json() for each in inbox.editions])
    assert "personal_data (1)" in said
    assert "Zaphod" not in said
    assert "Priya" not in said

    further = tmp_path / "further.yaml"
    further.write_text(yaml.safe_dump({"evidence": [{**good, "id": "further"}]}))
    assert [each.id for each in hand_in_entries(further, tmp_path, SEEDS).evidence] == ["further"]
    assert (folder / "further.yaml").read_bytes() == further.read_bytes()


@pytest.mark.planted_fault
def test_an_empty_file_and_another_workbook_are_refused_in_words(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "other.xlsx")
    for content in (b"evidence: []", b"just words", (tmp_path / "other.xlsx").read_bytes()):
        with pytest.raises(Exception, match="pulse evidence-form") as caught:
            read_entries(content, "x", LISTS, REGISTER)
        assert not isinstance(caught.value, RegisterError)
