"""Each golden file is read into exactly the rows committed beside it, each from its own cell."""

from __future__ import annotations

import math
from functools import cache

import pytest

from sources.observation import MEMBERSHIP_COLUMNS, OBSERVATION_COLUMNS
from sources.parsers import Parsed
from sources.workbook.book import Form
from tests.publisher_files import GOLDEN, GOLDENS, Cells, as_text, catalogue, expected, parse


@cache
def read(dataset: str, edition: str, form: Form) -> Parsed:
    path = GOLDEN / dataset / f"{edition}.{form}"
    return parse(dataset, edition, path.read_bytes(), name=path.name)


@pytest.mark.parametrize(("dataset", "edition", "form"), GOLDENS)
def test_golden_file_is_read_into_its_expected_rows(dataset: str, edition: str, form: Form) -> None:
    parsed = read(dataset, edition, form)
    shape = catalogue().dataset(dataset).shape
    columns = OBSERVATION_COLUMNS if shape == "observations" else MEMBERSHIP_COLUMNS
    assert tuple(parsed.rows.columns) == columns
    wanted = expected(dataset, edition)
    assert not wanted.empty
    assert as_text(parsed).to_csv() == wanted.to_csv()


@pytest.mark.parametrize(
    ("dataset", "edition", "form"),
    # The other reader of ODS takes its time.
    [pytest.param(*each, marks=[pytest.mark.slow] * (each[2] == "ods")) for each in GOLDENS],
)
def test_every_row_cites_the_cell_that_holds_its_value(
    dataset: str, edition: str, form: Form
) -> None:
    cells = Cells((GOLDEN / dataset / f"{edition}.{form}").read_bytes())
    rows = read(dataset, edition, form).rows
    held = "value" if "value" in rows else "parent_code"
    for row in rows.to_dict("records"):
        printed = cells(row["sheet"], row["row_number"], row["column_letter"])
        if held == "parent_code":
            assert printed == row[held]
        elif dataset == "ons_population":  # a sum is cited by the first of its cells
            assert 0 < float(str(printed)) <= row["value"]
        else:
            assert math.isclose(float(str(printed)), row["value"], abs_tol=1e-9)


def test_every_dataset_with_a_parser_has_a_golden() -> None:
    parsed = {code for code, entry in catalogue().datasets.items() if entry.parser}
    assert {dataset for dataset, _, _ in GOLDENS} == parsed
