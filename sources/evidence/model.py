"""What an initiative and an evidence item hold, and what is refused of them.

Belongs here: fields, the lists that they choose from, and the contract (source, consent, place of a
figure, no personal data). Does not belong here: where entries are kept (``sources.evidence.register``).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, Field, ValidationError

from sources.areas import AreaBook
from sources.errors import ParseError

Kind = Literal[
    "case_study", "evaluation", "quotation", "participatory_finding", "attendance_figure", "persona"
]
Capacity = Literal[
    "resident", "community_organisation", "council", "researcher", "funder", "fictional_person"
]
Consent = Literal["not_needed", "given", "published_by_source"]
_Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=60)]
_Words = Annotated[str, Field(min_length=3, max_length=1500)]
_Day = Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
_When = Annotated[
    str, Field(pattern=r"^((after|before|about) )?\d{4}(-\d{2}(-\d{2})?)?( or \d{4})?$")
]
_Address = Annotated[str, Field(pattern=r"^https?://\S+$")]
# Identifiers of the Open Referral UK data standard (HSDS-UK) are UUIDs.
_Uuid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
_Many = tuple[str, ...]


def _field(hint: str, **more: Any) -> Any:
    return Field(description=hint, **more)


class Entry(BaseModel, extra="forbid", frozen=True):
    """What initiatives and evidence items share. A field's description is its hint in the form."""

    id: _Id = _field("A short name of your own: small letters, digits and _.")
    areas: _Many = _field("Areas that it is about, separated by ;", min_length=1)
    goals: _Many = _field("Goals that it serves, separated by ;", min_length=1)
    groups: _Many = _field("Groups of people it is for or about, separated by ;", default=())
    pathways: _Many = _field("Pathways to action that it belongs to, separated by ;", default=())
    names: _Many = _field(
        "Organisations, places, programmes and holders of public office that the words name, "
        "separated by ; Never a private person.",
        default=(),
    )
    source: str = _field("Who published it, the title and the date.", default="")
    source_url: _Address | None = _field("Address of the source, if it has one.", default=None)


class Initiative(Entry):
    """A programme or project of or with communities."""

    name: _Words = _field("What it is called.")
    partners: _Many = _field("Organisations that run it, separated by ;", min_length=1)
    period: _Words = _field("When, in words.")
    starts: _Day | None = _field("When it began: 2024, 2024-05 or 2024-05-01.", default=None)
    ends: _Day | None = _field("When it ended: 2024, 2024-05 or 2024-05-01.", default=None)
    aims: _Words = _field("What it is meant to achieve.")
    activities: _Words = _field("What is done.")
    open_referral_service: _Uuid | None = _field(
        "Identifier of the service in an Open Referral UK directory, if listed.", default=None
    )
    open_referral_organisation: _Uuid | None = _field(
        "Identifier of the organisation in an Open Referral UK directory, if listed.", default=None
    )


class Item(Entry):
    """A piece of evidence: what somebody found, saw, counted or said."""

    kind: Kind = _field("What kind of evidence it is.")
    title: _Words = _field("A short title.")
    summary: _Words = _field("What it says, in your own words. No names of private persons.")
    outcomes: _Many = _field("Outcomes for residents that it bears on, separated by ;", default=())
    initiative: _Id | None = _field("The id of the initiative that it is about.", default=None)
    capacity: Capacity = _field("In what capacity it is said.")
    organisation: str | None = _field("The organisation that says it.", default=None)
    dated: _When = _field(
        "When it was said or published: 2024, 2024-05, 2024-05-01, about 2024 or after 2024."
    )
    source_place: str | None = _field(
        "Where in the source: page, section or table. Needed for every figure.", default=None
    )
    consent: Consent = _field("Whether whoever is quoted agreed; a quotation needs it.")
    figure: float | None = _field("The figure, where the evidence is one.", default=None)
    figure_unit: str | None = _field("What the figure counts.", default=None)


KINDS: Final[Mapping[str, type[Initiative] | type[Item]]] = {
    "initiatives": Initiative,
    "evidence": Item,
}


def fault_of(
    field: str, message: str, expected: str, found: str, todo: str, *, code: str
) -> ParseError:
    """Something wrong with one field of an entry, which is its ``cell`` until the file is known."""
    return ParseError(message, code=code, cell=field, expected=expected, found=found, todo=todo)


@dataclass(frozen=True)
class Lists:
    """What entries choose from: codes and their titles."""

    areas: AreaBook
    goals: Mapping[str, str]
    outcomes: Mapping[str, str]
    groups: Mapping[str, str]
    pathways: Mapping[str, str]

    @classmethod
    def from_seeds(cls, seeds: Path) -> Lists:
        """The lists of the project, from the folder of its seeds."""

        def read(name: str) -> list[dict[str, str]]:
            with (seeds / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
                return list(csv.DictReader(stream))

        return cls(
            AreaBook.from_seeds(seeds),
            {row["goal_id"]: row["title"] for row in read("goals")},
            {
                f"{row['goal_id']}.{row['kind']}.{row['outcome_order']}": row["outcome"]
                for row in read("resident_outcomes")
            },
            {row["group_id"]: row["title"] for row in read("target_groups")},
            {row["pathway_id"]: row["title"] for row in read("pathway_prompts")},
        )

    def choices(self, name: str) -> dict[str, str]:
        """Codes and titles of one field; empty for a field that is free."""
        if name == "areas":
            return {
                code: area.name
                for code, area in self.areas.areas.items()
                if area.valid_to is None
                and area.level in ("lad", "cauth", "utla", "itl1", "nation")
            }
        fixed = {"kind": Kind, "capacity": Capacity, "consent": Consent}.get(name)
        if fixed is not None:
            return {value: value.replace("_", " ") for value in get_args(fixed)}
        return dict(getattr(self, name, {}))


# --- The contract -------------------------------------------------------------------------------

_PERSONAL: Final = (
    ("an e-mail address", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("a telephone number", re.compile(r"(?<![\d/])(?:\+44|\(?0)[\d\s()-]{8,13}\d(?!\d)")),
    ("a full postcode", re.compile(r"\b[A-Za-z]{1,2}\d[A-Za-z\d]?\s*\d[A-Za-z]{2}\b")),
    (
        "the name of a person",
        re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Sir|Dame|Cllr|Councillor)\.?\s+[A-Z]\w+"),
    ),
)
# Whatever begins with a capital inside a sentence names somebody or something.
_NAMED: Final = re.compile(r"[A-Z][\w’'-]*(?:[ \u00a0][A-Z][\w’'-]*)*")
# Capitals that name no person: days, months, peoples, languages and faiths.
_ORDINARY: Final = frozenset(
    (Path(__file__).parent / "ordinary_capitals.csv").read_text(encoding="utf-8").split()
)
_OPEN: Final = ("title", "summary", "aims", "activities", "period", "figure_unit", "source_place")
_FIGURE: Final = re.compile(r"\d+(?:[.,]\d+)*\s*(?:%|per cent)|(?<![\d-])(?!(?:19|20)\d\d\b)\d{2,}")


def personal_data(text: str) -> Iterator[tuple[str, str]]:
    """What of a text is personal data by its form: its kind in words, and the first of it."""
    for what, pattern in _PERSONAL:
        found = pattern.search(text)
        if found:
            yield what, found.group()


def check(raw: Mapping[str, Any], kind: str, lists: Lists) -> Iterator[ParseError]:
    """Every fault of one entry, whatever else is wrong with it.

    ``raw``: text by field, or a tuple of texts where a field holds several; ``kind``: ``initiatives`` or
    ``evidence``.
    """
    model = KINDS[kind]
    try:
        model.model_validate(raw)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            name = str(each["loc"][0])
            missing = each["type"] == "missing" or each["input"] in ("", ())
            yield fault_of(
                name,
                "a field that is needed is empty" if missing else "a field cannot be used",
                (model.model_fields[name].description or "")
                if name in model.model_fields
                else "one of the fields of the form",
                "nothing" if missing else f"'{each['input']}'",
                "fill the field in" if missing else f"correct it: {each['msg']}",
                code="entry_incomplete" if missing else "entry_invalid",
            )
    for name in ("areas", "goals", "outcomes", "groups", "pathways"):
        for value in raw.get(name) or ():
            if value not in lists.choices(name) and not (
                name == "areas" and lists.areas.knows(value)
            ):
                yield fault_of(
                    name,
                    "a code is not in the list",
                    f"a code of the list of {name}",
                    f"'{value}'",
                    "choose one from the sheet Lists of the form (pulse evidence-form)",
                    code="entry_unknown_code",
                )
    yield from _lacking(raw)
    yield from _personal(raw, lists)


def _lacking(raw: Mapping[str, Any]) -> Iterator[ParseError]:
    def fault(field: str, message: str, expected: str, todo: str, *, code: str) -> ParseError:
        value = raw.get(field)
        found = f"'{value}'" if value not in (None, "") else "nothing"
        return fault_of(field, message, expected, found, todo, code=code)

    def empty(field: str) -> bool:
        return not str(raw.get(field) if raw.get(field) is not None else "").strip()

    kind = raw.get("kind")
    if empty("source"):
        words = ("there is no source", "who published it, the title and the date")
        todo = "name the source; what has none cannot be registered"
        yield fault("source", *words, todo, code="entry_without_source")
    if kind == "quotation" and raw.get("consent") not in ("given", "published_by_source"):
        words = ("a quotation has no consent", "given, or published_by_source")
        todo = "ask whoever is quoted, or leave the quotation out"
        yield fault("consent", *words, todo, code="quotation_without_consent")
    stated = not empty("figure") or _FIGURE.search(str(raw.get("summary") or ""))
    if "kind" in raw and stated and empty("source_place"):
        words = ("a figure has no place in its source", "its page, section or table")
        todo = "say where in the source the figure is, or leave it out"
        yield fault("source_place", *words, todo, code="figure_without_source")
    if kind == "attendance_figure" and empty("figure"):
        words = ("an attendance figure has no figure", "a number")
        todo = "fill it in, or choose another kind"
        yield fault("figure", *words, todo, code="entry_incomplete")
    if not empty("figure") and empty("figure_unit"):
        words = ("a figure does not say what it counts", "people, visits, ...")
        yield fault("figure_unit", *words, "fill it in", code="entry_incomplete")
    if kind == "persona" and raw.get("outcomes"):
        words = ("a persona is fictional and is evidence of nothing", "no outcome")
        yield fault("outcomes", *words, "take the outcomes out", code="entry_invalid")
    if kind is not None and (kind == "persona") != (raw.get("capacity") == "fictional_person"):
        words = ("a persona is fictional, and nothing else is", "fictional_person for a persona")
        yield fault("capacity", *words, "correct kind or capacity", code="entry_invalid")


def _personal(raw: Mapping[str, Any], lists: Lists) -> Iterator[ParseError]:
    def fault(name: str, what: str, found: str) -> ParseError:
        return fault_of(
            name,
            f"there is {what}",
            "no personal data of private persons",
            # Shown to whoever wrote it, but in part: the message itself may be kept.
            f"'{found[:3]}…'",
            "take it out; if it names an organisation, a place, a programme or a holder of public "
            "office, list it under names",
            code="personal_data",
        )

    declared = [str(raw.get(name) or "") for name in ("name", "organisation")]
    declared += [*(raw.get("names") or ()), *(raw.get("partners") or ())]
    for name, value in raw.items():
        if name in ("source_url", "open_referral_service", "open_referral_organisation", "id"):
            continue
        text = "; ".join(value) if isinstance(value, tuple | list) else str(value or "")
        for what, found in personal_data(text):
            if what != "the name of a person" or found not in declared:
                yield fault(name, what, found)
        if name in _OPEN:
            for run in _undeclared(text, declared, lists):
                yield fault(name, "a name that is not listed", run)


def _undeclared(text: str, declared: list[str], lists: Lists) -> Iterator[str]:
    """Names in a text that are neither declared nor those of areas.

    A single capital at the beginning of a sentence is not looked at: it may be any word.
    """
    known = [name for name in declared if name]
    known += [area.name for area in lists.areas.areas.values() if area.name in text]
    for name in sorted(known, key=len, reverse=True):
        text = text.replace(name, "…")
    for sentence in re.split(r"(?<=[.!?:;])\s+|\n", text):
        for found in _NAMED.finditer(sentence):
            words = [word for word in found.group().split() if word not in _ORDINARY]
            at_start = not sentence[: found.start()].strip(" “‘\"'(")
            if at_start and found.group().split()[:1] == words[:1]:
                words = words[1:] if len(found.group().split()) == 1 else words
            if words and not all(word.isupper() and len(word) < 7 for word in words):
                yield found.group()
