"""A table's header, found by what its labels say, wherever it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sources.errors import listed
from sources.workbook.book import CellValue, Sheet, Where, column_letter
from sources.workbook.values import normalise_label, tidy_text

# A superscript note mark loses its raised form in the file and sticks to the label.
_GLUED_MARK = re.compile(r"(?<=[a-z)%])\s?[0-9]{1,2}(?:\s?,\s?[0-9]{1,2})*$")


@dataclass(frozen=True)
class Wanted:
    """A column that is looked for, named ``label`` in messages.

    One of ``patterns`` must match its whole normalised label; they are tried best first, and the
    next is only tried where no column matches the one before.
    """

    label: str
    patterns: tuple[str, ...]
    required: bool = True

    @cached_property
    def compiled(self) -> tuple[re.Pattern[str], ...]:
        """The patterns, whatever the case of a label."""
        return tuple(re.compile(text, re.I) for text in self.patterns)


@dataclass(frozen=True)
class Header:
    """Where a table's header is: ``columns`` maps each wanted key to its index, from 0."""

    row_number: int
    columns: Mapping[str, int]
    labels: tuple[str, ...]
    extra: tuple[str, ...] = field(default=())

    def letter(self, key: str) -> str:
        """The column letter of a wanted key that was found."""
        return column_letter(self.columns[key])

    def value(self, row: Sequence[CellValue], key: str) -> CellValue:
        """The cell of ``row`` under ``key``; ``None`` where the column or the cell is absent."""
        index = self.columns.get(key)
        return None if index is None or index >= len(row) else row[index]


def find_header(
    sheet: Sheet, wanted: Mapping[str, Wanted], where: Where, *, depth: int = 40
) -> Header:
    """Find the row, among the first ``depth``, whose labels are the wanted ones.

    Raises ``ParseError``: ``header_not_found``, ``missing_column`` (lists the labels found and the
    nearest), ``ambiguous_column`` (two columns match one label, or one column two labels; lists
    them) or ``ambiguous_header`` (two rows match as well).
    """
    where = where.at(sheet.name)
    required = {key for key, want in wanted.items() if want.required}
    any_of = re.compile("|".join(f"(?:{p})" for w in wanted.values() for p in w.patterns), re.I)
    best: list[tuple[int, dict[str, list[int]]]] = []
    best_score = (0, 0)
    for index, row in enumerate(sheet.rows[:depth]):
        hits = _matches(row, wanted, any_of)
        score = (len(required & hits.keys()), len(hits))
        if score > best_score:
            best_score, best = score, [(index, hits)]
        elif hits and score == best_score:
            best.append((index, hits))
    names = ", ".join(f"'{want.label}'" for want in wanted.values() if want.required)
    if not best or 2 * best_score[0] < len(required):
        index, labels = _likeliest_header(sheet, depth)
        raise where.error(
            "header_not_found",
            f"No row among the first {depth} has the labels of the table's header.",
            expected=names,
            found=f"row {index + 1}: {_listed(labels)}" if labels else "no text",
            todo="Open the sheet and compare its header; add a layout to the catalogue if the "
            "publisher changed it.",
        )
    index, hits = best[0]
    row = sheet.rows[index]
    printed_labels = tuple(tidy_text(cell) for cell in row)
    missing = [wanted[key].label for key in wanted if key in required and key not in hits]
    if missing:
        printed = [label for label in printed_labels if label]
        near = {
            label: difflib.get_close_matches(label, printed, n=1, cutoff=0.3) for label in missing
        }
        raise where.error(
            "missing_column",
            "A column of the table has no label that is known for it: "
            + "; ".join(
                f"'{label}'" + (f" (nearest: '{close[0]}')" if close else "")
                for label, close in near.items()
            )
            + ".",
            cell=f"A{index + 1}",
            expected=", ".join(f"'{label}'" for label in missing),
            found=_listed(printed),
            todo="If the publisher renamed the column, add a layout to the catalogue.",
        )
    if len(best) > 1:
        raise where.error(
            "ambiguous_header",
            "More than one row has the labels of the table's header.",
            found=", ".join(f"row {row_index + 1}" for row_index, _ in best),
            todo="Open the sheet: it may hold two tables.",
        )
    for key, columns in hits.items():
        if len(columns) > 1:
            raise where.error(
                "ambiguous_column",
                f"{len(columns)} columns could be '{wanted[key].label}', and one was expected.",
                cell=f"{column_letter(columns[0])}{index + 1}",
                expected=f"one column '{wanted[key].label}'",
                found=", ".join(
                    f"{column_letter(c)}{index + 1} '{printed_labels[c]}'" for c in columns
                ),
                todo="Open the sheet to see which is meant, then make the layout say so.",
            )
    chosen = {key: found[0] for key, found in hits.items()}
    for column in sorted(set(chosen.values())):
        keys = [key for key in chosen if chosen[key] == column]
        if len(keys) > 1:
            raise where.error(
                "ambiguous_column",
                "One column could be two of those wanted: "
                + ", ".join(f"'{wanted[key].label}'" for key in keys)
                + ".",
                cell=f"{column_letter(column)}{index + 1}",
                found=f"'{printed_labels[column]}'",
                todo="Make the layout's labels distinguish the columns.",
            )
    taken = set(chosen.values())
    extra = tuple(label for i, label in enumerate(printed_labels) if label and i not in taken)
    return Header(index + 1, chosen, printed_labels, extra)


def refuse_unreadable(sheet: Sheet, header: Header, where: Where) -> str | None:
    """Refuse a table with unreadable cells under its header; a remark on those in other columns.

    Raises ``ParseError(code="unreadable_cells")`` that names the cells: their value is not in the
    file, and taking them for empty would turn a figure into "the publisher has none".
    """
    below = [cell for cell in sheet.unreadable if cell.row_number > header.row_number]
    used = [cell for cell in below if cell.column in set(header.columns.values())]
    if used:
        kinds = dict.fromkeys(cell.what for cell in used)
        raise where.at(sheet.name).error(
            "unreadable_cells",
            "Cells of the table hold something that is no value.",
            cell=listed([cell.address for cell in used]),
            expected="a number, a symbol or an empty cell",
            found="; ".join(list(kinds)[:4]),
            todo="Open the file in a spreadsheet program: if the cells show figures there, "
            "recalculate and save it as XLSX; if not, ask the publisher for a corrected file.",
        )
    if below:
        cells = ", ".join(cell.address for cell in below[:8])
        return f"Sheet {sheet.name}: cells without a value in columns not used ({cells})."
    return None


def _matches(
    row: Sequence[CellValue], wanted: Mapping[str, Wanted], any_of: re.Pattern[str]
) -> dict[str, list[int]]:
    printed = {i: normalise_label(cell) for i, cell in enumerate(row) if isinstance(cell, str)}
    # Nearly all rows are of figures, and have no label at all.
    labels = {i: label for i, label in printed.items() if label and any_of.fullmatch(label)}
    bare = {i: _GLUED_MARK.sub("", label) for i, label in printed.items()}
    bare = {
        i: label for i, label in bare.items() if label != printed[i] and any_of.fullmatch(label)
    }
    hits: dict[str, list[int]] = {}
    for key, want in wanted.items():
        for pattern in want.compiled:
            found = [i for i, label in labels.items() if pattern.fullmatch(label)]
            if not found:
                found = [i for i, label in bare.items() if pattern.fullmatch(label)]
            if found:
                hits[key] = found
                break
    return hits


def _likeliest_header(sheet: Sheet, depth: int) -> tuple[int, list[str]]:
    best: tuple[int, list[str]] = (0, [])
    for index, row in enumerate(sheet.rows[:depth]):
        labels = [tidy_text(cell) for cell in row if isinstance(cell, str) and tidy_text(cell)]
        if len(labels) > len(best[1]):
            best = (index, labels)
    return best


def _listed(labels: Sequence[str], limit: int = 30) -> str:
    return listed([f"'{label[:80]}'" for label in labels if label], limit) or ""
