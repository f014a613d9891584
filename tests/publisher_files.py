"""Made-up publisher files and their context, for the tests that parse them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

import pandas as pd
from odf.namespaces import OFFICENS, TABLENS
from odf.opendocument import load
from odf.table import Table, TableRow

from demonstration.publisher_files import Fault, file_name, usual_form, write_publisher_file
from sources.areas import AreaBook
from sources.catalogue import Catalogue, Dataset, load_catalogue
from sources.errors import ParseError
from sources.parsers import PARSERS, ParseContext, Parsed
from sources.workbook.book import Form, column_index
from tests.lazy import lazy

openpyxl = lazy("openpyxl")

T = TypeVar("T")

SEEDS = Path(__file__).parents[1] / "dbt_project" / "seeds"
GOLDEN = Path(__file__).parent / "golden"

FEW = "the Community Life Survey with six of its ten measures"
"""A dataset for tests that edit its workbook: the same in fewer sheets."""
_LEFT_OUT = frozenset(
    {
        *("chat_to_neighbours", "area_attractiveness", "green_space_satisfaction"),
        "backgrounds_get_on",
    }
)

FEW_AUTHORITIES = frozenset(
    f"E080000{number}" for number in ("16", "19", "25", "26", "27", "28", "29", "30", "31")
) | {"E08000038", "E08000039", "E06000023"}

#: Dataset, edition and form of every golden file.
GOLDENS: tuple[tuple[str, str, str], ...] = tuple(
    (path.parent.name, path.stem, path.suffix[1:])
    for path in sorted(GOLDEN.glob("*/*.*"))
    if path.suffix[1:] in ("csv", "ods", "xlsx") and not path.stem.endswith(".expected")
)


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


@cache
def entry_of(dataset: str) -> Dataset:
    """The catalogue's entry of a dataset, or of ``FEW``."""
    if dataset != FEW:
        return catalogue().dataset(dataset)
    entry = catalogue().dataset("dcms_community_life")
    layouts = [
        layout.model_copy(
            update={"tables": {m: t for m, t in layout.tables.items() if m not in _LEFT_OUT}}
        )
        for layout in entry.layouts
    ]
    measures = [measure for measure in entry.measures if measure.code not in _LEFT_OUT]
    return entry.model_copy(update={"measures": tuple(measures), "layouts": tuple(layouts)})


@cache
def area_book() -> AreaBook:
    return AreaBook.from_seeds(SEEDS)


@cache
def few_areas() -> AreaBook:
    """England, its regions, and a dozen authorities: enough for a small file."""
    whole = area_book()
    kept = {
        code: area
        for code, area in whole.areas.items()
        if area.level in ("nation", "itl1", "cauth") or code in FEW_AUTHORITIES
    }
    aliases = tuple(alias for alias in whole.aliases if alias.area_code in kept)
    changes = {old: new for old, new in whole.changes.items() if old in kept and new in kept}
    return AreaBook(areas=kept, aliases=aliases, changes=changes)


def context(
    dataset: str, edition: str, *, name: str | None = None, areas: AreaBook | None = None
) -> ParseContext:
    entry = entry_of(dataset)
    return ParseContext(
        entry,
        entry.edition(edition),
        areas or area_book(),
        name or file_name(entry, edition, usual_form(entry, edition)),
    )


def write(
    dataset: str,
    edition: str,
    *faults: Fault,
    seed: int = 1,
    form: Form | None = None,
    whole: bool = False,
) -> bytes:
    """A made-up file of few areas, or with the areas of a whole one; made once."""
    return make(dataset, edition, faults, seed, form, whole)


@lru_cache(maxsize=128)
def make(
    dataset: str, edition: str, faults: tuple[Fault, ...], seed: int, form: Form | None, whole: bool
) -> bytes:
    entry = entry_of(dataset)
    areas = area_book() if whole else few_areas()
    return write_publisher_file(
        entry, entry.edition(edition), areas, seed=seed, form=form, faults=faults
    )


def parse(dataset: str, edition: str, content: bytes, *, name: str | None = None) -> Parsed:
    entry = entry_of(dataset)
    assert entry.parser is not None
    return PARSERS[entry.parser](content, context(dataset, edition, name=name))


@cache
def plain(dataset: str, edition: str) -> Parsed:
    """The file without faults, parsed once: not to be changed."""
    return parse(dataset, edition, write(dataset, edition))


def attempt(call: Callable[[], T]) -> tuple[T | None, str | None]:
    """What a call returns, or the code of the ``ParseError`` with which it refuses."""
    try:
        return call(), None
    except ParseError as error:
        return None, error.code


def codes(parsed: Parsed) -> set[str]:
    return {note.code for note in parsed.notes}


class Cells:
    """The cells of a file by another reader than the project's: openpyxl, odfpy or csv."""

    def __init__(self, content: bytes) -> None:
        self._sheets: dict[str, list[list[object]]] = {}
        if content[:2] != b"PK":
            rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
            self._sheets["csv"] = [list(row) for row in rows]
        elif b"application/vnd.oasis.opendocument" in content[:200]:
            for table in load(io.BytesIO(content)).spreadsheet.getElementsByType(Table):
                rows = [_ods_row(row) for row in table.getElementsByType(TableRow)]
                self._sheets[table.getAttribute("name")] = rows
        else:
            for sheet in openpyxl.load_workbook(io.BytesIO(content), read_only=True):
                self._sheets[sheet.title] = [list(row) for row in sheet.iter_rows(values_only=True)]

    def __call__(self, sheet: str, row_number: int, column_letter: str) -> object:
        return self._sheets[sheet][row_number - 1][column_index(column_letter)]


def _ods_row(row: object) -> list[object]:
    cells: list[object] = []
    for cell in row.childNodes:  # type: ignore[attr-defined]
        repeat = int(cell.attributes.get((TABLENS, "number-columns-repeated"), 1))
        value = cell.attributes.get((OFFICENS, "value"))
        if value is None:
            value = "".join(str(child) for child in cell.childNodes) or None
        cells.extend([value] * min(repeat, 100))
    return cells


def expected(dataset: str, edition: str) -> pd.DataFrame:
    """The rows that a golden file is known to hold, as text."""
    return pd.read_csv(
        GOLDEN / dataset / f"{edition}.expected.csv", dtype=str, keep_default_na=False
    )


def as_text(parsed: Parsed) -> pd.DataFrame:
    """Rows as the golden tables hold them: text, null as nothing, dates as days."""
    text = io.StringIO(parsed.rows.to_csv(index=False, date_format="%Y-%m-%d"))
    return pd.read_csv(text, dtype=str, keep_default_na=False)
