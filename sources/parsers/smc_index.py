"""The Social Mobility Commission's composite indices, as published in 2024 and in 2025.

Here belong the two layouts of those CSV files. Values are z-scores: an area's place in a list of UK
areas, re-standardised in every period. They are not percentages, and are never averaged.

Codes inside the files are reused for different indices between editions, so a file is recognised by
its title. Areas are known by the name as printed; the numbers of the 2024 edition are the
publisher's own.
"""

import datetime as dt
import re
from dataclasses import replace
from typing import Any, ClassVar, Final

import pandas as pd

from sources.errors import ParseError
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import CsvReader, Line, midnight, refuse_blank, refuse_divided
from sources.workbook.header import Header, Wanted, find_header
from sources.workbook.values import normalise_label, tidy_text

_PERIOD: Final = re.compile(r"([0-9]{4})\s*(?:to|-|\u2013)\s*([0-9]{4})")
# Columns of the two layouts that are known and carry nothing that is used.
_KNOWN: Final = frozenset(
    {
        *("ind_code", "area_type", "area_code", "seb", "age", "sex", "category_type"),
        *("category_type2", "category2", "value", "se", "unit", "value_note", "group"),
        *("measure_code", "chart_type", "primary_split_type", "primary_split_value"),
        *("secondary_split_type", "tertiary_split_type", "tertiary_split_value"),
        *("fourth_split_type", "fourth_split_value"),
    }
)


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read one index; one observation per area and period, with its group.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``wrong_file`` (another index),
    ``wrong_edition`` (the other edition's layout), ``unknown_layout``, ``unknown_area``, ``ambiguous_area``,
    ``unknown_group``, ``group_mismatch``, ``bad_period``, ``truncated``, ``empty_table``.
    """
    return _Index(content, context).parse()


def _title(printed: str) -> str:
    return normalise_label(printed).removesuffix(" index")


class _Index(CsvReader):
    columns: ClassVar = {
        "title": "measure_title",
        "area_name": "area_name",
        "period": "time_period",
        "value": "value",
        "group_label": "category",
        "group_number": "group_number",
        "lower_95": "lci",
        "upper_95": "uci",
        "base": "sample_size",
    }

    def rows(self) -> list[dict[str, Any]]:
        self.notes.header(self.header, _KNOWN.__contains__)
        self.measure = self.context.dataset.measures[0]
        self.titles = {_title(each) for each in (self.measure.title, *self.measure.printed_titles)}
        self.labels = self.measure.group_labels(self.edition.edition) or self.measure.group_labels(
            self.layout.from_edition
        )
        self.by_label = {normalise_label(known): group for known, group in self.labels.items()}
        lines = list(self.lines())
        refuse_divided(self.header, lines)
        return [self._row(line) for line in lines]

    def wanted(self, context: ParseContext) -> dict[str, Wanted]:
        """The columns of the edition's layout, ``title`` first."""
        layout = context.dataset.layout(context.edition.edition)
        needed = {"title", "area_name", "period", "value", "group_label"}
        self.required = needed | ({"group_number"} & set(layout.columns))
        return super().wanted(context)

    def find(self) -> Header:
        """The header; an error that names the edition whose layout the file has, if any."""
        try:
            return super().find()
        except ParseError as error:
            if error.code not in ("missing_column", "header_not_found"):
                raise
            looked_for = []
            for edition in self.context.dataset.editions:
                wanted = self.wanted(replace(self.context, edition=edition))
                columns = ", ".join(w.patterns[0] for w in wanted.values() if w.required)
                looked_for.append(f"{edition.edition}: {columns}")
                try:
                    find_header(self.sheet, wanted, self.where)
                except ParseError:
                    continue
                raise self.where.error(
                    "wrong_edition",
                    "The file is laid out as in another edition of the index.",
                    expected=f"the {self.edition.edition} edition",
                    found=f"the columns of the {edition.edition} edition",
                    todo="Hand the file in under its own edition, or download the right one.",
                ) from error
            labels = [tidy_text(cell) for row in self.sheet.rows[:1] for cell in row]
            raise self.where.error(
                "unknown_layout",
                "No known edition of this index is laid out as this file is.",
                expected="; ".join(looked_for),
                found=", ".join(label for label in labels if label)[:600] or "no text in row 1",
                todo="If it is of an edition that the catalogue lists, compare its columns with "
                "those looked for and add a layout; earlier editions, such as that of 2023 with 41 "
                "areas and quintiles, are not read.",
            ) from error

    def _row(self, line: Line) -> dict[str, Any]:
        title = line.text("title")
        if _title(title) not in self.titles:
            raise line.error(
                "wrong_file",
                "The file is of another index; the codes in these files are reused, the titles are "
                "not.",
                "title",
                expected=self.measure.title,
                found=title or "no title",
                todo="Hand the file in under its own dataset; if the row is a note, delete it.",
            )
        dataset, name = self.context.dataset.code, line.text("area_name")
        try:
            code = self.context.areas.resolve(name, dataset=dataset, edition=self.edition.edition)
        except ParseError as error:
            raise line.error(
                error.code, error.message, "area_name", found=error.found or name, todo=error.todo
            ) from error
        start, end = self._period(line)
        value = line.reading("value")
        bounds = {key: line.reading(key).value for key in ("lower_95", "upper_95")}
        base = line.count("base")
        group_label, group_number = self._group(line)
        beside = (group_label, *bounds.values())
        refuse_blank(value, beside, name, self.where, line.at("value"))
        return self.row(
            line.number,
            value,
            bounds,
            measure=self.measure.code,
            area_code=code,
            area_name=name,
            area_level="smc_area",
            period_start=start,
            period_end=end,
            unit="z_score",
            base=base,
            group_number=None if value.value is None else group_number,
            group_label=group_label,
            column_letter=self.header.letter("value"),
        )

    def _period(self, line: Line) -> tuple[pd.Timestamp, pd.Timestamp]:
        text = line.text("period")
        match = _PERIOD.fullmatch(text)
        if match is None or match.group(1) > match.group(2) or match.group(1) < "1900":
            raise line.error(
                "bad_period",
                "The period is not a range of years.",
                "period",
                expected="such as '2018-2022' or '2018 to 2024'",
                found=text or "nothing",
                todo="Compare the row with the publisher's file.",
            )
        first, last = (int(year) for year in match.groups())
        return midnight(dt.date(first, 1, 1)), midnight(dt.date(last, 12, 31))

    def _group(self, line: Line) -> tuple[str | None, int | None]:
        label = line.text("group_label")
        if not label:
            return None, None
        if self.by_label and normalise_label(label) not in self.by_label:
            raise line.error(
                "unknown_group",
                "The group is none of the edition's.",
                "group_label",
                expected=", ".join(self.labels),
                found=label,
                todo="If the publisher changed the groups, list them in the catalogue.",
            )
        named, printed = self.by_label.get(normalise_label(label)), line.count("group_number")
        if printed is not None and named is not None and printed != named:
            raise line.error(
                "group_mismatch",
                "The group's number and label contradict each other.",
                "group_number",
                expected=f"{named} for '{label}'",
                found=str(printed),
                todo="Ask the publisher for a corrected file.",
            )
        return label, named if printed is None else printed
