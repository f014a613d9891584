"""Spreadsheets read back by other programs than the one that wrote them."""

from __future__ import annotations

from pathlib import Path

import python_calamine

Grid = list[list[object]]


def grids(path: Path) -> dict[str, Grid]:
    """Every sheet as its cells from A1, trailing empty ones dropped; whole floats as integers."""
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    return {
        name: [
            _trimmed(row) for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        ]
        for name in book.sheet_names
    }


def table_of(grid: Grid) -> tuple[list[str], list[dict[str, object]]]:
    """The header row and the rows below it: the table starts at the first row of several cells."""
    first = next(index for index, row in enumerate(grid) if len(row) > 1)
    headers = [str(header) for header in grid[first]]
    return headers, [dict(zip(headers, row, strict=True)) for row in grid[first + 1 :]]


def _trimmed(row: list[object]) -> list[object]:
    cells = [int(v) if isinstance(v, float) and v.is_integer() else v for v in row]
    while cells and cells[-1] == "":
        cells.pop()
    return cells
