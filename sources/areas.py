"""Areas: which codes exist, since when, what replaced them, and how each publisher prints them.

Belongs here: reading the three seeds (areas, aliases, code changes) and answering questions about
codes and names. Does not belong here: memberships and populations (they are data), or any guess. A
name leads to a code only through an alias of that dataset and edition, or because one code only
bears it.

Seeds and their columns:

- ``areas.csv``: area_code, area_name, area_level, valid_from, valid_to, current_code, region_code,
  note. ``valid_from`` and ``valid_to`` are a year or a date, empty where open; ``current_code`` is
  empty or the code itself for an area that is in use.
- ``area_aliases.csv``: dataset, edition, printed_code, printed_name, area_code. ``dataset`` and
  ``edition`` may be a shell pattern (``smc_*``); empty means any.
- ``area_code_changes.csv``: old_code, new_code, year, kind, note.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path

from sources.errors import ParseError, PulseError, shortened

SEED_FILES = ("areas.csv", "area_aliases.csv", "area_code_changes.csv")
_AREA_COLUMNS = ("area_code", "area_name", "area_level")
_ALIAS_COLUMNS = ("dataset", "edition", "printed_name", "area_code")
_CHANGE_COLUMNS = ("old_code", "new_code")
# Too many to list, and made anew every few years: known by the entity that their GSS code begins with.
_SMALL_AREA = re.compile(r"[EW]0[15]\d{6}")


@dataclass(frozen=True)
class Area:
    """One code: its name, level, and the years in which publishers use it (None = open)."""

    code: str
    name: str
    level: str
    valid_from: date | None = None
    valid_to: date | None = None
    current_code: str | None = None
    region_code: str | None = None


@dataclass(frozen=True)
class Alias:
    """How one publisher prints an area, in the editions that the patterns match."""

    dataset: str
    edition: str
    printed_name: str
    area_code: str
    printed_code: str | None = None

    def applies(self, dataset: str, edition: str) -> bool:
        return fnmatchcase(dataset, self.dataset or "*") and fnmatchcase(
            edition, self.edition or "*"
        )


@lru_cache(maxsize=8192)
def normalise_name(name: str) -> str:
    """The name without regard to case, kind of space, apostrophe or dash; words are kept."""
    text = unicodedata.normalize("NFKC", name).replace("\u2019", "'").replace("\u2018", "'")
    text = re.sub(r"[\u2010-\u2015]", "-", text)
    return " ".join(text.split()).casefold()


@dataclass(frozen=True)
class AreaBook:
    """Every area the project knows. Build it with ``from_seeds``, or from ``Area`` objects."""

    areas: Mapping[str, Area]
    aliases: tuple[Alias, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()

    @classmethod
    def from_seeds(cls, seeds: Path) -> AreaBook:
        """Read the three seeds in the folder.

        Raises PulseError(code="bad_seed") for a missing file or column, a code listed twice, an
        alias or change that points at a code which ``areas.csv`` lacks, or changes that run in a ring.
        """
        areas: dict[str, Area] = {}
        changes: dict[str, str] = {}
        for line, row in _read(seeds / "areas.csv", _AREA_COLUMNS):
            code = row["area_code"]
            if code in areas:
                raise _bad_seed(seeds / "areas.csv", line, f"area code {code} is listed twice")
            areas[code] = Area(
                code=code,
                name=row["area_name"],
                level=row["area_level"],
                valid_from=_day(seeds / "areas.csv", line, row.get("valid_from"), end=False),
                valid_to=_day(seeds / "areas.csv", line, row.get("valid_to"), end=True),
                current_code=row.get("current_code") or None,
                region_code=row.get("region_code") or None,
            )
        for area in areas.values():
            if area.current_code and area.current_code != area.code:
                changes[area.code] = area.current_code
        successors: dict[str, set[str]] = {}
        merged = set()
        for _, row in _read(seeds / "area_code_changes.csv", _CHANGE_COLUMNS):
            successors.setdefault(row["old_code"], set()).add(row["new_code"])
            if row.get("kind") == "merge":
                merged.add(row["old_code"])
        for old, new in successors.items():
            # A code split among several has no single successor; following one would be a guess.
            if old not in changes and len(new) == 1:
                changes[old] = next(iter(new))
        aliases = []
        for line, row in _read(seeds / "area_aliases.csv", _ALIAS_COLUMNS):
            code = row["area_code"]
            if code not in areas:
                raise _bad_seed(
                    seeds / "area_aliases.csv", line, f"area code {code} is not in areas.csv"
                )
            named = row["dataset"], row["edition"], row["printed_name"]
            aliases.append(Alias(*named, code, row.get("printed_code") or None))
        book = cls(areas=areas, aliases=tuple(aliases), changes=changes, merged=frozenset(merged))
        for old in changes:
            if book.current(old) == old:
                raise _bad_seed(
                    seeds / "area_code_changes.csv", None, f"the changes of {old} run in a ring"
                )
        return book

    def knows(self, code: str) -> bool:
        """True for a listed code, and for any code that a ward or an LSOA may have."""
        return code in self.areas or bool(_SMALL_AREA.fullmatch(code))

    def area(self, code: str) -> Area:
        """Raises ParseError(code="unknown_area") for a code that is not known."""
        if _SMALL_AREA.fullmatch(code):
            return Area(code, name=code, level="lsoa" if code[1:3] == "01" else "ward")
        try:
            return self.areas[code]
        except KeyError:
            raise ParseError(
                f"area code {code!r} is not known",
                code="unknown_area",
                todo="add the area to dbt_project/seeds/areas.csv, or correct the code",
            ) from None

    def level(self, code: str) -> str:
        return self.area(code).level

    def name(self, code: str) -> str:
        return self.area(code).name

    def current(self, code: str) -> str:
        """The current code of this one; the code itself where nothing replaced it."""
        seen = {code}
        while code in self.changes:
            code = self.changes[code]
            if code in seen:
                break
            seen.add(code)
        return code

    def same_ground(self, code: str) -> str:
        """The current code of the same area; the code itself where it was merged into a larger one."""
        return code if code in self.merged else self.current(code)

    def valid_in(self, code: str, year: int) -> bool:
        """True where the code was in use at some time of the year."""
        area = self.area(code)
        starts = area.valid_from is None or area.valid_from <= date(year, 12, 31)
        ends = area.valid_to is None or area.valid_to >= date(year, 1, 1)
        return starts and ends

    def codes(self, level: str, *, prefix: str = "", year: int | None = None) -> tuple[str, ...]:
        """Codes of a level in order; with a year those in use in it, else those in use now."""
        of_level = (area for area in self.areas.values() if area.level == level)
        codes = sorted(area.code for area in of_level if area.code.startswith(prefix))
        if year is not None:
            return tuple(code for code in codes if self.valid_in(code, year))
        areas = self.areas
        return tuple(c for c in codes if self.current(c) == c and areas[c].valid_to is None)

    def aliased(self, dataset: str, edition: str) -> tuple[str, ...]:
        """Codes that the dataset prints in the edition, by its own aliases (not the shared ones)."""
        own = [alias for alias in self.aliases if alias.dataset not in ("", "*")]
        return tuple(sorted({each.area_code for each in own if each.applies(dataset, edition)}))

    def resolve(self, name: str, *, dataset: str, edition: str, level: str | None = None) -> str:
        """The code of a printed name: by the edition's aliases, else where one code bears the name.

        ``level`` narrows the choice to one area level. Raises ParseError with code "unknown_area"
        where no code bears the name and "ambiguous_area" where several do.
        """
        wanted = normalise_name(name)
        aliases = self._aliases_by_name.get(wanted, ())
        found = {alias.area_code for alias in aliases if alias.applies(dataset, edition)}
        found = found or set(self._codes_by_name.get(wanted, ()))
        if level is not None:
            found = {code for code in found if self.areas[code].level == level}
        return self._only(found, name, "name", dataset, edition)

    @cached_property
    def _aliases_by_name(self) -> Mapping[str, list[Alias]]:
        found: dict[str, list[Alias]] = {}
        for alias in self.aliases:
            found.setdefault(normalise_name(alias.printed_name), []).append(alias)
        return found

    @cached_property
    def _codes_by_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for code, area in self.areas.items():
            if self.current(code) == code:
                found.setdefault(normalise_name(area.name), []).append(code)
        return found

    def resolve_code(self, printed_code: str, *, dataset: str, edition: str) -> str:
        """The code of a printed code: by the edition's aliases (TLG), else itself where it is known."""
        wanted = printed_code.strip()
        found = {
            alias.area_code
            for alias in self.aliases
            if alias.printed_code == wanted and alias.applies(dataset, edition)
        }
        if not found and self.knows(wanted):
            found = {wanted}
        return self._only(found, printed_code, "code", dataset, edition)

    def _only(self, found: set[str], printed: str, what: str, dataset: str, edition: str) -> str:
        if len(found) == 1:
            return next(iter(found))
        if found:
            named = (f"{code} ({self.name(code)}, {self.level(code)})" for code in sorted(found))
            raise ParseError(
                f"the area {what} {printed!r} stands for {len(found)} areas",
                code="ambiguous_area",
                dataset=dataset,
                edition=edition,
                expected="one area",
                found=", ".join(named),
                todo="add a row for this dataset and edition to "
                "dbt_project/seeds/area_aliases.csv that says which is meant",
            )
        raise ParseError(
            f"the area {what} {shortened(printed, 80)!r} is not known",
            code="unknown_area",
            dataset=dataset,
            edition=edition,
            todo="if it is a new area or a new spelling, add it to "
            "dbt_project/seeds/areas.csv or area_aliases.csv",
        )


def _bad_seed(path: Path, line: int | None, message: str) -> PulseError:
    return PulseError(
        message,
        code="bad_seed",
        file=path.name,
        cell=None if line is None else f"line {line}",
        todo="correct the seed; every figure is keyed by it",
    )


def _read(path: Path, needed: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            missing = [column for column in needed if column not in (reader.fieldnames or ())]
            if missing:
                raise _bad_seed(path, 1, f"the columns {', '.join(missing)} are missing")
            found = []
            for row in reader:
                tidy = {key: (value or "").strip() for key, value in row.items() if key is not None}
                found.append((reader.line_num, tidy))
            return found
    except FileNotFoundError:
        raise _bad_seed(path, None, "the seed is missing") from None


def _day(path: Path, line: int, text: str | None, *, end: bool) -> date | None:
    if not text:
        return None
    try:
        if re.fullmatch(r"\d{4}", text):
            return date(int(text), 12, 31) if end else date(int(text), 1, 1)
        return date.fromisoformat(text)
    except ValueError:
        raise _bad_seed(path, line, f"{text!r} is neither a year nor a date") from None
