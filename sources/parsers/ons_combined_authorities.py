"""The ONS lookup from local authority districts to combined authorities (England).

Here belongs that lookup in the two forms in which it is published: the CSV download, and the JSON
features of the ArcGIS service. Column names carry the year of the codes (``LAD25CD``), which must
be that of the edition. Greater London is not in it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sources.errors import ParseError
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import (
    Notes,
    address,
    memberships,
    only_sheet,
    records,
    text_under,
    wanted_columns,
    where_of,
)
from sources.workbook import Sheet, Where, find_header, normalise_label

FEATURES: Final = "features"
"""The sheet name that features of the JSON form are cited under; row 1 is their attribute names."""

_COLUMNS: Final = {
    "member_code": "LADyyCD",
    "member_name": "LADyyNM",
    "parent_code": "CAUTHyyCD",
    "parent_name": "CAUTHyyNM",
}
_MEMBER: Final = re.compile(r"E0[6789][0-9]{6}")
_PARENT: Final = re.compile(r"E47[0-9]{6}")
_VINTAGE: Final = re.compile(r"(?:lad|cauth)([0-9]{2})(?:cd|nm)")


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the lookup; one membership a row.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``wrong_edition``, ``bad_code``,
    ``doubled_member``, ``service_error``, ``incomplete_answer``, ``truncated``, ``empty_table``.
    """
    where = where_of(context)
    head = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"{"):
        sheet, notes = _features(content, where), Notes()
    else:
        sheet, notes = only_sheet(content, where)
    try:
        header = find_header(sheet, wanted_columns(context, _COLUMNS, _COLUMNS), where)
    except ParseError as error:
        labels = [normalise_label(cell) for row in sheet.rows[:40] for cell in row]
        years = {m.group(1) for label in labels if (m := _VINTAGE.fullmatch(label))}
        if years and context.edition.edition[2:4] not in years:
            raise where.error(
                "wrong_edition",
                "The lookup's codes are of another year than the edition.",
                expected=f"LAD{context.edition.edition[2:4]}CD",
                found=", ".join(f"LAD{year}CD" for year in sorted(years)),
                todo="Hand the file in under its own edition, or download the right one.",
            ) from error
        raise
    if header.row_number != 1:
        notes.add("header_moved", f"The header is in row {header.row_number}, usually 1.")
    extra = [label for label in header.extra if normalise_label(label) not in _SERVICE_COLUMNS]
    if extra:
        notes.add("extra_column", f"Columns not used: {', '.join(extra)}.")
    rows: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for number, row in records(sheet, header, where):
        fields = {key: text_under(header, row, key) for key in _COLUMNS}
        for key, pattern in (("member_code", _MEMBER), ("parent_code", _PARENT)):
            if not pattern.fullmatch(fields[key]):
                raise where.error(
                    "bad_code",
                    "The code is not that of a district or of a combined authority.",
                    cell=address(header.columns[key], number),
                    expected="E06, E07, E08 or E09 and six digits"
                    if key == "member_code"
                    else "E47 and six digits",
                    found=fields[key] or "nothing",
                    todo="Compare the row with the publisher's file.",
                )
        member = fields["member_code"]
        if member in seen:
            raise where.error(
                "doubled_member",
                f"{fields['member_name']} ({member}) is there twice.",
                cell=address(header.columns["member_code"], number),
                expected=f"once, in row {seen[member]}",
                todo="Ask the publisher for a corrected file.",
            )
        seen[member] = number
        rows.append(
            {
                **fields,
                "sheet": sheet.name,
                "row_number": number,
                "column_letter": header.letter("parent_code"),
            }
        )
    return memberships(rows, content, context, notes)


_SERVICE_COLUMNS: Final = frozenset({"objectid", "fid", "globalid"})


def _features(content: bytes, where: Where) -> Sheet:
    """The service's answer as a sheet: attribute names in row 1, a feature a row below."""
    todo = "Ask the service again; every page of the answer is needed."
    try:
        answer = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise where.error(
            "truncated", "The answer is not complete JSON.", found=str(error)[:120], todo=todo
        ) from error
    if not isinstance(answer, dict) or "error" in answer:
        raise where.error(
            "service_error",
            "The service reported an error in place of the lookup.",
            found=json.dumps(answer)[:200],
            todo=todo,
        )
    features = answer.get("features")
    if not isinstance(features, list):
        raise where.error(
            "json_document",
            "The JSON document is not an answer of the lookup service.",
            expected="features",
            found=", ".join(sorted(map(str, answer)))[:120] or "nothing",
            todo=todo,
        )
    if answer.get("exceededTransferLimit"):
        raise where.error(
            "incomplete_answer",
            "The service sent only the first page of the lookup.",
            found=f"{len(features)} features",
            todo=todo,
        )
    names: list[str] = []
    attributes = []
    for feature in features:
        values = feature.get("attributes") if isinstance(feature, dict) else None
        if not isinstance(values, dict):
            raise where.error(
                "json_document", "A feature of the answer has no attributes.", todo=todo
            )
        attributes.append(values)
        names.extend(str(name) for name in values if str(name) not in names)
    rows = [tuple(names)]
    for values in attributes:
        rows.append(tuple(_text(values.get(name)) for name in names))
    return Sheet(FEATURES, tuple(rows))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
