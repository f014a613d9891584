"""The register: entries from the project's YAML, from YAML in an inbox, and from filled-in forms.

Belongs here: reading files into entries that keep their contract, with every fault of a file at once.
Does not belong here: what the contract says (``sources.evidence.model``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from sources.catalogue import UniqueKeyLoader
from sources.errors import ParseError
from sources.evidence.model import KINDS, Initiative, Item, Lists, check, fault_of
from sources.workbook import read_workbook
from sources.workbook.book import Where, column_letter

BUNDLED: Final = Path(__file__).parent
FORMS: Final = {".yaml", ".xlsx"}
SHEETS: Final = {"Initiatives": "initiatives", "Evidence": "evidence"}
HEADER_ROW: Final = 3
_HAND_IN: Final = "write the blank form with `pulse evidence-form FILE`, and fill in that"


def heading(field: str) -> str:
    """A field as the form prints it."""
    return field.replace("_", " ").capitalize()


def is_list(kind: str, field: str) -> bool:
    """Whether a field holds several values."""
    return "tuple" in str(KINDS[kind].model_fields[field].annotation)


@dataclass(frozen=True)
class Register:
    """Accepted entries of some files."""

    initiatives: tuple[Initiative, ...] = ()
    evidence: tuple[Item, ...] = ()

    def __add__(self, other: Register) -> Register:
        return Register(self.initiatives + other.initiatives, self.evidence + other.evidence)

    @property
    def ids(self) -> set[str]:
        """Every id that is taken."""
        return {each.id for each in (*self.initiatives, *self.evidence)}


def read_bundled(lists: Lists) -> Register:
    """The entries that ship with the project. Raises ParseError for the first file with faults."""
    register = Register()
    for path in sorted(BUNDLED.glob("*.yaml")):
        register += read_entries(path.read_bytes(), path.name, lists, register)
    return register


def read_entries(content: bytes, file: str, lists: Lists, before: Register) -> Register:
    """The entries of one file, YAML or a filled-in form.

    ``file`` is its name, for messages; ``before`` are the entries that are registered already, since an
    id is used once. Raises RegisterError with every fault of the file, none of whose entries is taken then.
    """
    raw = (_from_form if content.startswith(b"PK") else _from_yaml)(content, file)
    faults = []
    taken = before.ids
    known = {each.id for each in before.initiatives}
    known |= {str(entry.get("id")) for _, entry, _ in raw["initiatives"]}
    for kind, entries in raw.items():
        for number, (label, entry, cells) in enumerate(entries, 1):
            found = [*check(entry, kind, lists), *_twice(entry, taken, known)]
            taken.add(str(entry.get("id")))
            faults += [_placed(each, file, label or f"{kind} {number}", cells) for each in found]
    if faults:
        raise RegisterError(faults)
    if not any(raw.values()):
        raise ParseError("there are no entries", code="no_entries", file=file, todo=_HAND_IN)
    made = {
        kind: tuple(KINDS[kind].model_validate(entry) for _, entry, _ in entries)
        for kind, entries in raw.items()
    }
    return Register(**made)  # type: ignore[arg-type]


class RegisterError(ParseError):
    """Every fault of a file of entries, as ``faults``; the message lists them."""

    def __init__(self, faults: Sequence[ParseError]) -> None:
        self.faults = tuple(faults)
        first = faults[0]
        super().__init__(
            "; ".join(f"({number}) {each.render()}" for number, each in enumerate(faults, 1)),
            code=first.code,
            todo="correct the file and hand it in again",
        )


def _placed(error: ParseError, file: str, label: str, cells: Mapping[str, str]) -> ParseError:
    """The fault of a field with the place of the field in the file."""
    field = str(error.cell)
    sheet, _, cell = cells.get(field, cells.get("id", "")).rpartition("!")
    error.file, error.sheet = file, sheet or None
    error.cell = f"{cell} ({label}, {heading(field)})" if cell else f"{label}, field {field}"
    return error


def _twice(entry: Mapping[str, Any], taken: set[str], known: set[str]) -> Iterator[ParseError]:
    if entry.get("id") in taken:
        words = ("an id is used twice", "an id of its own", f"'{entry['id']}'")
        yield fault_of("id", *words, todo="give it another id", code="entry_invalid")
    if entry.get("initiative") and entry["initiative"] not in known:
        expected = "the id of an initiative of this file or of the register"
        words = ("an initiative is not registered", expected, f"'{entry['initiative']}'")
        todo = "register it, or leave it out"
        yield fault_of("initiative", *words, todo, code="entry_unknown_code")


_Raw = dict[str, list[tuple[str, dict[str, Any], dict[str, str]]]]


def _from_yaml(content: bytes, file: str) -> _Raw:
    try:
        read = yaml.load(content.decode("utf-8"), Loader=UniqueKeyLoader)
        raw: _Raw = {kind: [] for kind in KINDS}
        for kind, entries in read.items():
            for entry in entries:
                tidy = {name: _tidied(value) for name, value in entry.items()}
                raw[kind].append((str(entry.get("id", "")), tidy, {}))
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, KeyError) as error:
        raise ParseError(
            "the file cannot be read as entries",
            code="unreadable_entries",
            file=file,
            expected="YAML with lists named initiatives and evidence, or a filled-in form",
            found=str(error).splitlines()[0][:200],
            todo=_HAND_IN,
        ) from error
    return raw


def _tidied(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(str(each) for each in value)
    return value if isinstance(value, float) else " ".join(str(value).split())


def _from_form(content: bytes, file: str) -> _Raw:
    book = read_workbook(content, Where("evidence", "", file), forms=("xlsx",))
    raw: _Raw = {kind: [] for kind in KINDS}
    for sheet in book.sheets:
        kind = SHEETS.get(sheet.name)
        if kind is None:
            continue
        headings = {heading(name): name for name in KINDS[kind].model_fields}
        header = sheet.rows[HEADER_ROW - 1] if len(sheet.rows) >= HEADER_ROW else ()
        columns = {
            index: headings.get(str(text).strip(" *"), str(text))
            for index, text in enumerate(header)
            if text
        }
        for number, row in enumerate(sheet.rows[HEADER_ROW:], HEADER_ROW + 1):
            filled = {
                name: row[index]
                for index, name in columns.items()
                if index < len(row) and row[index] not in (None, "")
            }
            if not filled:
                continue
            entry = {
                name: _chosen(kind, name, value) if name in KINDS[kind].model_fields else str(value)
                for name, value in filled.items()
            }
            cells = {
                name: f"{sheet.name}!{column_letter(index)}{number}"
                for index, name in columns.items()
            }
            raw[kind].append((str(filled.get("id", f"row {number}")), entry, cells))
    if not any(sheet.name in SHEETS for sheet in book.sheets):
        raise ParseError(
            "the workbook is not the form",
            code="unreadable_entries",
            file=file,
            expected=f"sheets named {' and '.join(SHEETS)}",
            found=", ".join(sheet.name for sheet in book.sheets)[:200],
            todo=_HAND_IN,
        )
    return raw


_CODED: Final = {"areas", "goals", "outcomes", "groups", "pathways", "kind", "capacity", "consent"}


def _chosen(kind: str, name: str, value: Any) -> Any:
    """The value of a cell: codes without the titles that the lists print behind them."""
    if name == "figure":
        return value
    whole = isinstance(value, float) and value.is_integer()
    text = str(int(value)) if whole else " ".join(str(value).split())
    if not is_list(kind, name):
        return text.split(": ")[0] if name in _CODED else text
    parts = [part.strip() for part in text.split(";") if part.strip()]
    return tuple(part.split(": ")[0] for part in parts) if name in _CODED else tuple(parts)
