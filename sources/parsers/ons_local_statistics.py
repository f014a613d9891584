"""Indicators of Explore Local Statistics (Office for National Statistics).

Read are both forms of them, as CSV: the service's answer (indicator, area, period, value, bounds) and
the data files of the publisher's repository, which add geography, unit and status. One row per area
and indicator of the edition: its own period, or the periods that begin in its year where the
catalogue says that the file prints them. Only the indicators that the layout names are read. Some
files print an area twice: under two levels, or under its former and its current code.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import pandas as pd

from sources.catalogue import OnsElsDiscovery
from sources.errors import ParseError, counted
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import CsvReader, Line, level_of, refuse_blank, refuse_divided
from sources.workbook.header import Wanted
from sources.workbook.values import Reading, normalise_label, parse_value

_GSS: Final = re.compile(r"[EKNSW][0-9]{8}")
_PERIOD: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:/P([0-9]{1,2})Y)?")
_UNITS: Final = {
    "%": "percent",
    "percentage": "percent",
    "percent": "percent",
    "mins": "minutes",
    "yrs": "years",
    "£": "pounds",
    "£ million": "pounds_million",
    "score out of 10": "score",
    "count per 10,000 people": "per_10k",
    "count per 100,000 people": "per_100k",
    "rate per 100,000 population": "per_100k",
}
_NOT_USED: Final = frozenset({"measure", "notes"})
_FIGURES: Final = ("value", "lower_95", "upper_95")


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the wanted indicators of the edition's period.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``missing_indicator``,
    ``wrong_edition``, ``wrong_unit``, ``bad_period``, ``conflicting_duplicates``, ``unknown_area``,
    ``code_name_mismatch``, ``truncated``, ``empty_table``.
    """
    return _Indicators(content, context).parse()


class _Indicators(CsvReader):
    columns: ClassVar = {
        "area_code": "areacd",
        "area_name": "areanm",
        "level": "geography",
        "indicator": "indicator",
        "period": "period",
        "value": "value",
        "unit": "unit",
        "lower_95": "lci_95",
        "upper_95": "uci_95",
        "status": "status",
    }
    required: Iterable[str] = ("area_code", "indicator", "period", "value")

    def wanted(self, context: ParseContext) -> dict[str, Wanted]:
        """The columns; a survey's figures come with their limits."""
        if context.dataset.periods == "edition":
            self.required = (*_Indicators.required, "lower_95", "upper_95")
        return super().wanted(context)

    def rows(self) -> list[dict[str, Any]]:
        notes, wanted = self.notes, self._wanted_indicators()
        notes.header(self.header, _NOT_USED.__contains__)
        lines = list(self.lines())
        refuse_divided(self.header, lines)
        self.own_periods = self.context.dataset.periods == "file"
        ignored = self.layout.ignored_codes
        skipped = re.compile(ignored) if ignored else None
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        others: set[str] = set()
        periods: set[str] = set()
        merged: set[str] = set()
        for line in lines:
            indicator = line.text("indicator")
            measure = wanted.get(normalise_label(indicator))
            if measure is None:
                others.add(indicator or "rows without an indicator")
                continue
            period = line.text("period")
            if not period.startswith(str(self.edition.period_start.year)):
                periods.add(period or "no period")
                continue
            if skipped is not None and skipped.match(line.code("area_code")):
                continue
            if not self.own_periods and period[:10] != self.edition.period_start.isoformat():
                notes.add(
                    "nominal_period",
                    f"The file's period {period} is nominal; the edition's fieldwork period is "
                    "used.",
                )
            read = self._row(line, measure)
            if read is None:
                continue
            if self.own_periods:
                read["period_start"], read["period_end"] = self._period(line)
            first = rows.setdefault((measure, read["area_code"]), read)
            if any(first[column] != read[column] for column in (*_FIGURES, "status")):
                raise line.error(
                    "conflicting_duplicates",
                    f"{read['area_name']} ({read['area_code']}) is there twice with different "
                    "figures.",
                    "value",
                    expected=f"{first['value']} as in row {first['row_number']}",
                    found=f"{read['value']}",
                    todo="Ask the publisher which is right.",
                )
            if first is not read:
                merged.add(read["area_code"])
        self._check_found({measure for measure, _ in rows}, set(wanted.values()), others, periods)
        former = self._drop_former_codes(rows)
        for code, named, text in (
            ("indicator_ignored", others, "Not used"),
            ("other_periods", periods, "Periods of other editions"),
            (
                "former_code",
                former,
                f"{counted(len(former), 'area is', 'areas are')} there under a former and the "
                "current code, which is used",
            ),
            (
                "duplicates_merged",
                merged,
                f"{counted(len(merged), 'area is', 'areas are')} there twice with equal figures",
            ),
        ):
            if named:
                notes.add(code, f"{text}: {', '.join(sorted(named))}.")
        found = list(rows.values())
        if not self.own_periods:
            self._rescale(found)
        return found

    def _wanted_indicators(self) -> dict[str, str]:
        """Measure by printed indicator: the label of the data file, or the service's short name."""
        wanted = {normalise_label(k): measure for k, measure in self.layout.indicators.items()}
        discovery = self.context.dataset.discovery
        if isinstance(discovery, OnsElsDiscovery):
            wanted |= {normalise_label(slug): code for code, slug in discovery.indicators.items()}
        return wanted

    def _check_found(
        self, read: set[str], wanted: set[str], others: set[str], periods: set[str]
    ) -> None:
        """Refuse a file without the edition's period, or without one of the indicators."""
        if periods and not read:
            raise self.where.error(
                "wrong_edition",
                "The file has no row of the edition's period.",
                expected=f"a period such as {self.edition.period_start.year}-04-01/P1Y",
                found=", ".join(sorted(periods)),
                todo="If the catalogue lists the edition of that period, hand the file in under "
                "it.",
            )
        missing = sorted(wanted - read)
        # Which indicators a year has is a matter of its coverage.
        if not self.own_periods and missing and (read or others):
            raise self.where.error(
                "missing_indicator",
                "The file has no row of an indicator that is wanted.",
                expected=", ".join(missing),
                found=", ".join(sorted(others)) or "other indicators only",
                todo="Ask the service for every indicator that the catalogue lists, or hand in the "
                "data file on engagement with culture and heritage.",
            )

    def _row(self, line: Line, measure: str) -> dict[str, Any] | None:
        areas = self.context.areas
        unit = self._unit(line, measure)
        printed, name = line.code("area_code"), line.text("area_name")
        code = printed
        if not _GSS.fullmatch(printed):
            dataset, edition = self.context.dataset.code, self.edition.edition
            try:
                code = areas.resolve_code(printed, dataset=dataset, edition=edition)
            except ParseError as error:
                raise line.error(
                    error.code, error.message, "area_code", found=printed, todo=error.todo
                ) from error
        # Some combined authorities are labelled as the ITL2 area of the same extent.
        level = "cauth" if code.startswith("E47") else level_of(code, areas)
        level = level or self.layout.levels.get(line.text("level"))
        if level is None:
            raise self.unknown_level(printed, name, line)
        if self.edition.levels and level not in self.edition.levels:
            self.notes.add("level_ignored", f"Rows of level {level} are not of this edition.")
            return None
        if name and _GSS.fullmatch(printed):
            self.check_name(name, code, line)
        value, *limits = (line.reading(key) for key in _FIGURES)
        bounds = {key: limit.value for key, limit in zip(_FIGURES[1:], limits, strict=True)}
        reading = self._with_status(line, value)
        refuse_blank(reading, bounds.values(), name, self.where, line.at("value"))
        return self.row(
            line.number,
            reading,
            bounds,
            measure=measure,
            area_code=code,
            area_name=self.known_name(name, code),
            area_level=level,
            unit=unit,
            column_letter=self.header.letter("value"),
        )

    def _with_status(self, line: Line, value: Reading) -> Reading:
        """The figure with the status that a column of its own gives it, in brackets or without."""
        if not line.text("status"):
            return value
        text = str(line.value("status")).strip()
        mark = text if text.startswith("[") else f"[{text}]"
        # Read as one cell, a figure beside a symbol that says there is none is refused.
        figure = "" if value.value is None else f"{value.value!r} "
        marked = parse_value(figure + mark, self.where, at=line.at("status"), thousands=False)
        if value.value is None and marked.status == "low_reliability":
            # Too unreliable to be printed.
            return replace(marked, status="not_available")
        return marked

    def _unit(self, line: Line, measure: str) -> str:
        """The unit as printed; the measure's own where the file prints none."""
        printed, own = line.text("unit"), self.context.dataset.measure(measure).unit
        known = _UNITS.get(printed.casefold()) if printed else own
        if known is None or (known != "percent" and not self.own_periods):
            raise line.error(
                "wrong_unit",
                "The unit of the figures is not the one expected.",
                "unit",
                expected=own,
                found=printed,
                todo="Compare the unit with the publisher's page; a new one needs the parser's "
                "list.",
            )
        return known

    def _period(self, line: Line) -> tuple[pd.Timestamp, pd.Timestamp]:
        """First and last day of a printed period: a day, or a day and a number of years."""
        printed = line.text("period")
        found = _PERIOD.fullmatch(printed)
        try:
            if not found:
                raise ValueError(printed)
            start = pd.Timestamp(found[1])
            if found[2] is None:
                return start, start
            return start, start + pd.DateOffset(years=int(found[2]), days=-1)
        except ValueError:
            raise line.error(
                "bad_period",
                "The period cannot be read.",
                "period",
                expected="a day, or a day and a length, such as 2023-04-01/P1Y",
                found=printed,
                todo="Compare the row with the publisher's file; columns may have been shifted.",
            ) from None

    def _drop_former_codes(self, rows: dict[tuple[str, str], dict[str, Any]]) -> set[str]:
        """Leave out the rows of a code whose successor for the same ground has a row too."""
        same = self.context.areas.same_ground
        former = {
            (measure, code)
            for measure, code in rows
            if (current := same(code)) != code and (measure, current) in rows
        }
        for key in former:
            del rows[key]
        return {code for _, code in former}

    def _rescale(self, rows: list[dict[str, Any]]) -> None:
        """Turn fractions of 1 into percentages, where every figure of the file is one."""
        printed = [row[key] for row in rows for key in _FIGURES if row[key] is not None]
        if not printed or max(printed) > 1 or max(printed) == 0:
            return
        for row in rows:
            for key in _FIGURES:
                if row[key] is not None:
                    row[key] = round(row[key] * 100, 10)
        self.notes.add(
            "percent_as_fraction",
            "Percentages are written as fractions of 1; they were multiplied by 100.",
        )


@dataclass(frozen=True)
class YearRows:
    """The header and the rows of one year as CSV, and the number of each of its lines in the file."""

    content: bytes
    lines: tuple[int, ...]


def rows_by_year(content: bytes) -> dict[int, YearRows]:
    """A file cut by the year in which each row's period begins; nothing of one without periods."""
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    header = [label.strip().casefold() for label in lines[0]] if lines else []
    column = header.index("period") if "period" in header else len(header)
    years: dict[int, list[int]] = {}
    for number, line in enumerate(lines[1:], start=2):
        year = line[column][:4] if len(line) > column else ""
        if year.isdigit():
            years.setdefault(int(year), []).append(number)
    cut = {}
    for begins, numbers in years.items():
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([lines[0], *(lines[number - 1] for number in numbers)])
        cut[begins] = YearRows(out.getvalue().encode(), (1, *numbers))
    return cut
