"""Is this body the file that was wanted? Asked before a file is landed, whoever sent it.

Belongs here: what can be told of a file without reading its figures: that it is a table at all and
no web page or error message, that nothing in it can do harm, and that it has a sheet or a column
that the catalogue's layout looks for. Does not belong here: whether the figures are right
(``sources.contract``).
"""

from __future__ import annotations

import re
from typing import Final, cast

from sources.catalogue import Dataset, Edition, Layout
from sources.errors import CatalogueError
from sources.workbook import Book, Form, Where, normalise_label, read_workbook

_FORMS: Final = ("xlsx", "ods", "csv")
_HEADER_ROWS: Final = 40


def check_content(
    content: bytes, dataset: Dataset, edition: Edition, *, file_name: str
) -> tuple[str, ...]:
    """Judge a body against what the dataset's files are. Returns remarks on what was accepted.

    Raises ParseError: any code of ``sources.workbook.read_workbook`` (``html_page``,
    ``json_document``, ``truncated``, ``zip_bomb``, ``password_protected``, ``wrong_form``, …), and
    ``not_the_tables`` where no sheet or column that the layout looks for is there.
    """
    where = Where(dataset.code, edition.edition, file_name)
    forms = cast(
        "tuple[Form, ...]",
        tuple(form for form in dataset.file_types if form in _FORMS) or _FORMS,
    )
    book = read_workbook(content, where, forms=forms)
    layout = _layout(dataset, edition)
    if layout is not None:
        if layout.tables:
            _has_sheets(book, layout, where)
        elif layout.columns:
            _has_columns(book, layout, edition, where)
    return tuple(message for _, message in book.remarks)


def _layout(dataset: Dataset, edition: Edition) -> Layout | None:
    try:
        return dataset.layout(edition.edition)
    except CatalogueError:
        # An edition that is not in the catalogue yet is read with the newest layout.
        return dataset.layouts[-1] if dataset.layouts else None


def _sheet_key(name: str) -> str:
    """``Table_C2``, ``Table C2`` and ``C2`` are the same sheet."""
    return re.sub(r"^table", "", re.sub(r"[^a-z0-9]", "", name.lower()))


def _has_sheets(book: Book, layout: Layout, where: Where) -> None:
    """At least one sheet that the layout names; which one is missing is the parser's to say."""
    wanted = {
        _sheet_key(sheet): sheet
        for table in layout.tables.values()
        for sheets in table.sheets.values()
        for sheet in sheets
    }
    found = [sheet.name for sheet in book.sheets]
    if any(_sheet_key(name) in wanted for name in found):
        return
    titles = [
        table.title_contains.lower() for table in layout.tables.values() if table.title_contains
    ]
    for sheet in book.sheets:
        head = " ".join(
            str(cell).lower()
            for row in sheet.rows[:_HEADER_ROWS]
            for cell in row
            if cell is not None
        )
        if any(title in head for title in titles):
            return
    raise where.error(
        "not_the_tables",
        "The workbook has none of the tables that this dataset is read from.",
        expected="one of the sheets " + ", ".join(sorted(wanted.values())[:20]),
        found=", ".join(found[:20]) or "no sheets",
        todo="Check on the publisher's page which attachment holds the data tables.",
    )


def _has_columns(book: Book, layout: Layout, edition: Edition, where: Where) -> None:
    """A row that has a column the layout looks for; which one is missing is the parser's to say."""
    patterns = [
        pattern
        for column in layout.columns
        for pattern in layout.header_patterns(column, edition.edition)
    ]
    first: list[str] = []
    for sheet in book.sheets:
        for row in sheet.rows[:_HEADER_ROWS]:
            labels = [normalise_label(cell) for cell in row]
            first = first or [label for label in labels if label]
            if any(pattern.fullmatch(label) for pattern in patterns for label in labels):
                return
    raise where.error(
        "not_the_tables",
        "The file has none of the columns that this dataset is read from.",
        expected="a column like " + ", ".join(sorted({each.pattern for each in patterns})[:12]),
        found=", ".join(first[:12]) or "no row with anything in it",
        todo="Check on the publisher's page which file holds the data.",
    )
