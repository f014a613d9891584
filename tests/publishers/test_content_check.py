"""What is told of a file before it is landed, whoever sent it."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demonstration.publisher_files import Fault
from sources.catalogue import Dataset, Edition
from sources.content_check import check_content
from sources.errors import ParseError
from tests.publishers.servers import HTML_PAGE
from tests.publishers.world import catalogue, fetched_editions, made_up

CLS = catalogue().dataset("dcms_community_life")
PS = catalogue().dataset("dcms_participation")
INDEX = catalogue().dataset("smc_promising_prospects")


def refusal(content: bytes, dataset: Dataset, edition: str) -> ParseError:
    with pytest.raises(ParseError) as caught:
        check_content(content, dataset, dataset.edition(edition), file_name="file")
    error = caught.value
    assert (error.dataset, error.edition, error.file) == (dataset.code, edition, "file")
    assert error.todo
    return error


@pytest.mark.parametrize(
    ("dataset", "edition"),
    [pytest.param(d, e, id=f"{d.code}-{e.edition}") for d, e in fetched_editions()],
)
def test_a_good_file_passes(dataset: Dataset, edition: Edition) -> None:
    check_content(made_up(dataset.code, edition.edition), dataset, edition, file_name="file")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"  \r\n", "empty_file"),
        (HTML_PAGE, "html_page"),
        (b'{"error": {"code": 400}}', "json_document"),
        (b"%PDF-1.7 ...", "not_a_workbook"),
        (b"PK\x03\x04" + b"x" * 100, "truncated"),
    ],
)
@pytest.mark.parametrize("dataset", [CLS, INDEX], ids=["workbook", "csv"])
def test_what_is_no_table_has_a_name(dataset: Dataset, content: bytes, code: str) -> None:
    assert refusal(content, dataset, dataset.editions[-1].edition).code == code


def test_a_workbook_of_another_survey_is_not_the_tables() -> None:
    error = refusal(made_up(PS.code, "2024-25"), CLS, "2024-25")
    assert error.code == "not_the_tables"
    assert "B4c" in str(error)
    assert "Table_A2" in str(error)


def test_a_csv_of_another_dataset_is_not_the_tables() -> None:
    error = refusal(b"colour,shape\nred,round\n", INDEX, "2025")
    assert error.code == "not_the_tables"
    assert "colour" in str(error)


def test_a_csv_is_not_a_workbook() -> None:
    assert refusal(made_up(INDEX.code, "2025"), CLS, "2024-25").code == "wrong_form"
    assert refusal(made_up(CLS.code, "2024-25"), INDEX, "2025").code == "wrong_form"


def test_any_other_archive_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert refusal(out.getvalue(), CLS, "2024-25").code == "not_a_workbook"


def test_one_missing_or_renamed_sheet_is_for_the_parser_to_say() -> None:
    for fault in (Fault.MISSING_SHEET, Fault.RENAMED_SHEET):
        content = made_up(CLS.code, "2024-25", 1, (fault,))
        check_content(content, CLS, CLS.edition("2024-25"), file_name="file")


def test_an_edition_that_is_not_listed_is_held_to_the_newest_layout() -> None:
    noticed = CLS.editions[-1].model_copy(update={"edition": "2029-30"})
    check_content(made_up(CLS.code, "2024-25"), CLS, noticed, file_name="file")


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda b: b"PK\x03\x04" + b)))
def test_any_bytes_pass_or_are_refused_by_name(content: bytes) -> None:
    for dataset in (CLS, INDEX):
        edition = dataset.editions[-1]
        try:
            check_content(content, dataset, edition, file_name="file")
        except ParseError as error:
            if not error.code or error.code == ParseError.default_code:
                raise
