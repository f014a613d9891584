"""The ONS lookup from local authority districts to combined authorities (England), as CSV.

Column names carry the year of the codes (``LAD25CD``), which must be that of the edition. Greater
London is not in it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sources.errors import ParseError
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import (
    address,
    only_sheet,
    records,
    text_under,
    tidy,
    wanted_columns,
    where_of,
)
from sources.workbook import Header, Sheet, Where, find_header, normalise_label

_COLUMNS: Final = {
    "member_code": "LADyyCD",
    "member_name": "LADyyNM",
    "parent_code": "CAUTHyyCD",
    "parent_name": "CAUTHyyNM",
}
_CODES: Final = (
    ("member_code", re.compile(r"E0[6789][0-9]{6}"), "E06, E07, E08 or E09 and six digits"),
    ("parent_code", re.compile(r"E47[0-9]{6}"), "E47 and six digits"),
)
_VINTAGE: Final = re.compile(r"(?:lad|cauth)([0-9]{2})(?:cd|nm)")
_SERVICE_COLUMNS: Final = frozenset({"objectid", "fid", "globalid"})


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the lookup; one membership per row.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``wrong_edition``, ``bad_code``,
    ``doubled_member``, ``truncated``, ``empty_table``.
    """
    where = where_of(context)
    sheet, notes = only_sheet(content, where)
    header = _header(sheet, context, where)
    notes.header(header, _SERVICE_COLUMNS.__contains__)
    rows: dict[str, dict[str, Any]] = {}
    for number, row in records(sheet, header, where):
        fields = {key: text_under(header, row, key) for key in _COLUMNS}
        for key, pattern, expected in _CODES:
            if not pattern.fullmatch(fields[key]):
                raise where.error(
                    "bad_code",
                    "The code is not that of a district or of a combined authority.",
                    cell=address(header.columns[key], number),
                    expected=expected,
                    found=fields[key] or "nothing",
                    todo="Compare the row with the publisher's file.",
                )
        member = fields["member_code"]
        if member in rows:
            raise where.error(
                "doubled_member",
                f"{fields['member_name']} ({member}) is there twice.",
                cell=address(header.columns["member_code"], number),
                expected=f"once, in row {rows[member]['row_number']}",
                todo="Ask the publisher for a corrected file.",
            )
        rows[member] = {
            **fields,
            "sheet": sheet.name,
            "row_number": number,
            "column_letter": header.letter("parent_code"),
        }
    return tidy(list(rows.values()), content, context, notes)


def _header(sheet: Sheet, context: ParseContext, where: Where) -> Header:
    """The header; columns of another year are said to be just that."""
    try:
        return find_header(sheet, wanted_columns(context, _COLUMNS, _COLUMNS), where)
    except ParseError as error:
        edition = context.edition.edition
        labels = [normalise_label(cell) for row in sheet.rows[:40] for cell in row]
        years = sorted({m.group(1) for label in labels if (m := _VINTAGE.fullmatch(label))})
        if not years or edition[2:4] in years:
            raise
        known = {entry.edition for entry in context.dataset.editions}
        own = f"20{years[-1]}"
        raise where.error(
            "wrong_edition",
            "The lookup's codes are of another year than the edition.",
            expected=f"LAD{edition[2:4]}CD",
            found=", ".join(f"LAD{year}CD" for year in years),
            todo=f"Hand it in under its own edition: pulse land {context.dataset.code} {own} <file>."
            if own in known
            else f"It belongs to edition {own}, which is not in the catalogue; hand in the lookup of "
            f"{edition}.",
        ) from error
