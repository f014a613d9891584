"""Population aged 16 and over, from the CSV files that Nomis gives, or one already summed.

Read are: one row per area with its population of 16 and over; one row per area and single year of age,
with the age or (as the service sends it when only code and value are asked for) without; and the table
that a person downloads from the Nomis page, with one column per age and its notes above and below.
Where ages are summed, the cell that a row is cited by is the first of those that make it up.
"""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import CsvReader, Line, address, count_of, level_of, refuse_blank
from sources.workbook.book import CellValue, Sheet, column_letter
from sources.workbook.header import Header, find_header
from sources.workbook.values import Reading, normalise_label

_AGES: Final = range(16, 91)
"""Single years from 16; 90 stands for 90 and over."""
_GSS: Final = re.compile(r"[EKNSW][0-9]{8}")
_BOTH_SEXES: Final = frozenset({"", "0", "total", "all persons", "persons", "all"})
_SERVICE_COLUMN: Final = re.compile(
    r"(date|time|geography|gender|c_age|measures|obs_status|obs_conf|obs_value)(_\w+)?"
    r"|urn|record_(offset|count)|total_population"
)
_GET_AGAIN: Final = (
    "Download data set NM_2002_1 from Nomis for one year, all persons, ages 16 to 90 and over."
)

Part = tuple[Line, int, Reading]
"""Row, column (from 0) and what the cell holds."""


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the population of 16 and over of each area, in people.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``bad_code``, ``incomplete_ages``,
    ``doubled_age``, ``unknown_age``, ``unknown_area``, ``wrong_sex``, ``wrong_edition``,
    ``wrong_measure``, ``not_a_count``, ``code_name_mismatch``, ``truncated``, ``empty_table``.
    """
    return _Population(content, context).parse()


def _ages_in(labels: Iterable[CellValue]) -> dict[int, int]:
    """Column -> age, of labels such as "Age 16" and "Aged 90+"."""
    found = {}
    for index, label in enumerate(labels):
        text = normalise_label(label) if isinstance(label, str) else ""
        match = re.fullmatch(r"aged? ([0-9]{1,2})(\+| and over)?", text)
        if match and int(match[1]) in _AGES and bool(match[2]) == (int(match[1]) == _AGES[-1]):
            found[index] = int(match[1])
    return found


class _Population(CsvReader):
    columns: ClassVar = {
        "area_code": "geography_code",
        "area_name": "geography_name",
        "age": "c_age",
        "year": "date",
        "value": "population_16_plus",
        "sex": "gender",
        "measures": "measures",
    }
    required = ("area_code", "value")

    def find(self) -> Header:
        """The header; ages that are columns of their own take the place of the column of values."""
        wanted = self.wanted(self.context)
        if any(len(_ages_in(row)) == len(_AGES) for row in self.sheet.rows[:40]):
            del wanted["value"], wanted["age"]
        return find_header(self.sheet, wanted, self.where)

    def rows(self) -> list[dict[str, Any]]:
        if self.header.row_number != 1:
            self.sheet = self._without_notes()
        labels = self.header.labels
        self.ages = {} if "value" in self.header.columns else _ages_in(labels)
        used = {normalise_label(labels[index]) for index in self.ages}
        self.notes.header(
            self.header, lambda label: label in used or _SERVICE_COLUMN.fullmatch(label)
        )
        areas: dict[str, list[Line]] = {}
        for line in self.lines():
            self._check_line(line)
            code = line.code("area_code")
            if not _GSS.fullmatch(code):
                raise line.error(
                    "bad_code",
                    f"'{code}' is not a GSS code.",
                    "area_code",
                    expected="a letter and eight digits, such as E08000025",
                    found=code or "nothing",
                    todo="Compare the row with the publisher's file.",
                )
            areas.setdefault(code, []).append(line)
        return [
            self._row(code, found[0].text("area_name"), self._parts(code, found))
            for code, found in areas.items()
        ]

    def _without_notes(self) -> Sheet:
        """The table alone: what Nomis prints above it is checked, and its notes below are left out."""
        sheet, top = self.sheet, self.header.row_number
        for number, row in enumerate(sheet.rows[: top - 1], 1):
            key, value = (*(normalise_label(cell) for cell in row[:2]), "", "")[:2]
            if key in ("date", "year", "time"):
                self._check_year(value, f"B{number}")
            if key in ("sex", "gender", "population"):
                self._check_sex(value, f"B{number}")
        body = sheet.rows[top:]
        blank = next((i for i, row in enumerate(body) if not any(row)), len(body))
        below = [row for row in body[blank:] if any(row)]
        if any(sum(cell is not None for cell in row) > 1 for row in below):
            return sheet
        if below:
            said = " ".join(str(next(cell for cell in row if cell)) for row in below)
            self.notes.add("notes_below", f"Below the table: {said}")
        return Sheet(sheet.name, sheet.rows[: top + blank])

    def _check_line(self, line: Line) -> None:
        if sex := line.text("sex"):
            self._check_sex(sex, line.at("sex"))
        measure = line.text("measures")
        if measure and normalise_label(measure) not in ("20100", "value"):
            raise line.error(
                "wrong_measure",
                "The file holds percentages, not people.",
                "measures",
                expected="20100",
                found=measure,
                todo="Download the value, not the percentage.",
            )
        if year := line.text("year"):
            self._check_year(year, line.at("year"))

    def _check_sex(self, sex: str, at: str) -> None:
        if normalise_label(sex) not in _BOTH_SEXES:
            raise self.where.error(
                "wrong_sex",
                "The file is divided by sex; the total of both is wanted.",
                cell=at,
                expected="0 or Total",
                found=sex,
                todo="Download the figures for all persons.",
            )

    def _check_year(self, year: str, at: str) -> None:
        wanted = str(self.edition.period_start.year)
        if re.findall(r"[0-9]{4}", year) != [wanted]:
            dataset, own = self.context.dataset, f"mid-{year[:4]}"
            listed = own in {entry.edition for entry in dataset.editions}
            raise self.where.error(
                "wrong_edition",
                "The file is of another year than the edition.",
                cell=at,
                expected=wanted,
                found=year,
                todo=f"Hand it in under its own edition: pulse land {dataset.code} {own} <file>."
                if listed
                else f"Hand in the file of {wanted}; if the row is a note, delete it.",
            )

    def _parts(self, code: str, found: list[Line]) -> list[Part]:
        """The cells that make up an area's population, youngest first."""

        def part(line: Line, column: int) -> Part:
            at = address(column, line.number)
            return line, column, count_of(line.cells[column], self.where, at)[1]

        value = self.header.columns.get("value", 0)
        cells: list[tuple[int | None, Line, int]]
        if self.ages:
            cells = [(age, line, column) for line in found for column, age in self.ages.items()]
        elif "age" in self.header.columns:
            cells = [(self._age(line), line, value) for line in found]
        elif len(found) == 1:
            return [part(found[0], value)]
        else:
            if len(found) != len(_AGES):
                raise found[-1].error(
                    "incomplete_ages",
                    f"{code} has {len(found)} rows without an age, so they cannot be distinguished.",
                    "area_code",
                    expected=f"{len(_AGES)} rows (16 to 90 and over), or one",
                    found=str(len(found)),
                    todo="Download the figures with the column of ages.",
                )
            text = "The rows do not print their ages; 75 were counted per area."
            self.notes.add("ages_not_printed", text)
            cells = [(age, line, value) for age, line in zip(_AGES, found, strict=True)]
        by_age: dict[int, Part] = {}
        for age, line, column in cells:
            if age is None:
                text = "Rows that are totals of several ages were left out."
                self.notes.add("age_totals_ignored", text)
            elif age in by_age:
                raise self.where.error(
                    "doubled_age",
                    f"Age {age} of {code} is there twice.",
                    cell=address(column, line.number),
                    expected=f"once, in row {by_age[age][0].number}",
                    todo=_GET_AGAIN,
                )
            elif age in _AGES:
                by_age[age] = part(line, column)
        missing = [age for age in _AGES if age not in by_age]
        if missing:
            raise self.where.error(
                "incomplete_ages",
                f"Not every age from 16 is there for {code}.",
                expected="ages 16 to 90 (90 and over)",
                found=f"{len(missing)} missing, the first {missing[0]}",
                todo=_GET_AGAIN,
            )
        self.notes.add(
            "ages_summed",
            "Single years from 16 to 90 and over were summed; each area is cited by the first of "
            "its cells.",
        )
        parts = [by_age[age] for age in _AGES]
        self._refuse_slips(code, parts)
        return parts

    def _refuse_slips(self, code: str, parts: list[Part]) -> None:
        """Refuse an age whose people are far more, or far fewer, than those of both ages beside it."""
        people = [reading.value for _, _, reading in parts]
        for (line, column, _), before, here, after in zip(
            parts[1:], people, people[1:], people[2:-1], strict=False
        ):
            if before is None or here is None or after is None:
                continue
            if here > 5 * max(before, after) + 50 or 5 * here + 50 < min(before, after):
                raise self.where.error(
                    "far_from_others",
                    f"One age of {code} has far more or fewer people than the ages beside it.",
                    cell=address(column, line.number),
                    expected=f"about {before:g} or {after:g}",
                    found=f"{here:g}",
                    todo="Compare the cell with the publisher's file: a moved or missing digit.",
                )

    def _age(self, line: Line) -> int | None:
        """Age in years, 90 for 90 and over; ``None`` for a total of several years."""
        text = normalise_label(line.text("age"))
        if re.fullmatch(r"[0-9]{3}", text):
            # The service's code: 101 is age 0, 191 is 90 and over.
            return int(text) - 101 if 101 <= int(text) <= 191 else None
        match = re.fullmatch(r"(?:aged? )?([0-9]{1,2})(?: years?)?(\+| ?and over| or over)?", text)
        if match:
            age = int(match[1])
            if match[2] and age != _AGES[-1]:
                return None
            if age <= _AGES[-1]:
                return age
        if re.search(r"all ages|total|[0-9] ?(?:-|to) ?[0-9]", text):
            return None
        raise line.error(
            "unknown_age",
            "The age is neither a single year nor a total.",
            "age",
            expected="such as 117 (Nomis) or 'Age 16'",
            found=text or "nothing",
            todo="Compare the row with the publisher's file.",
        )

    def _row(self, code: str, name: str, parts: list[Part]) -> dict[str, Any]:
        line, column, first = parts[0]
        level = level_of(code, self.context.areas)
        if level is None:
            raise self.unknown_level(code, name, line)
        if name:
            self.check_name(name, code, line)
        # A sum without one of its parts is no sum.
        beside = [reading.value for _, _, reading in parts]
        for of_age, age_column, reading in parts:
            at = address(age_column, of_age.number)
            refuse_blank(reading, beside, name or code, self.where, at)
        lacking = next((reading for _, _, reading in parts if reading.value is None), None)
        whole = lacking or first
        value = None if lacking else sum(reading.value or 0.0 for _, _, reading in parts)
        return self.row(
            line.number,
            Reading(value, whole.status, whole.symbol),
            {},
            measure=self.context.dataset.measures[0].code,
            area_code=code,
            area_name=self.known_name(name, code),
            area_level=level,
            unit="count",
            column_letter=column_letter(column),
        )
