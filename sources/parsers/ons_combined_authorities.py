"""The ONS lookup from local authority districts to combined authorities (England), as CSV.

Column names carry the year of the codes (``LAD25CD``), which must be that of the edition. Greater
London is not in it.
"""

import re
from typing import Any, ClassVar, Final

from sources.errors import ParseError
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import CsvReader
from sources.workbook.header import Header
from sources.workbook.values import normalise_label

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
    return _Lookup(content, context).parse()


class _Lookup(CsvReader):
    columns: ClassVar = {
        "member_code": "LADyyCD",
        "member_name": "LADyyNM",
        "parent_code": "CAUTHyyCD",
        "parent_name": "CAUTHyyNM",
    }
    required = tuple(columns)

    def rows(self) -> list[dict[str, Any]]:
        self.notes.header(self.header, _SERVICE_COLUMNS.__contains__)
        rows: dict[str, dict[str, Any]] = {}
        for line in self.lines():
            fields = {key: line.text(key) for key in self.columns}
            for key, pattern, expected in _CODES:
                fields[key] = line.code(key)
                if not pattern.fullmatch(fields[key]):
                    raise line.error(
                        "bad_code",
                        "The code is not that of a district or of a combined authority.",
                        key,
                        expected=expected,
                        found=fields[key] or "nothing",
                        todo="Compare the row with the publisher's file.",
                    )
            member = fields["member_code"]
            if member in rows:
                raise line.error(
                    "doubled_member",
                    f"{fields['member_name']} ({member}) is there twice.",
                    "member_code",
                    expected=f"once, in row {rows[member]['row_number']}",
                    todo="Ask the publisher for a corrected file.",
                )
            rows[member] = {
                **fields,
                "sheet": self.sheet.name,
                "row_number": line.number,
                "column_letter": self.header.letter("parent_code"),
            }
        return list(rows.values())

    def find(self) -> Header:
        """The header; columns of another year are said to be just that."""
        try:
            return super().find()
        except ParseError as error:
            edition = self.edition.edition
            labels = [normalise_label(cell) for row in self.sheet.rows[:40] for cell in row]
            years = sorted({m.group(1) for label in labels if (m := _VINTAGE.fullmatch(label))})
            if not years or edition[2:4] in years:
                raise
            dataset, own = self.context.dataset, f"20{years[-1]}"
            raise self.where.error(
                "wrong_edition",
                "The lookup's codes are of another year than the edition.",
                expected=f"LAD{edition[2:4]}CD",
                found=", ".join(f"LAD{year}CD" for year in years),
                todo=f"Hand it in under its own edition: pulse land {dataset.code} {own} <file>."
                if own in {entry.edition for entry in dataset.editions}
                else f"It belongs to edition {own}, which is not in the catalogue; hand in the "
                f"lookup of {edition}.",
            ) from error
