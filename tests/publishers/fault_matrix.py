"""Every fault, for every dataset: planted at a real server, taken in, and judged.

A case publishes a good file, lands it ("yesterday"), then lets the publisher of that one edition
misbehave or publish a faulty file, and refreshes. ``run`` gives what came of it; the tests hold it to
``expected``. ``python -m tests.publishers.fault_matrix`` prints the same cases as a Markdown table.

Lookups are served as JSON by their service; a fault of a file's content cannot be planted there, so it
is handed in as a person would.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal

from demonstration.publisher_files import Fault, applicable_faults
from sources.arrival import receive
from sources.catalogue import (
    Dataset,
    Edition,
    NomisDiscovery,
    OnsArcgisDiscovery,
    OnsElsDiscovery,
)
from sources.errors import ContractError, LandingError, ParseError
from sources.examination import examine
from sources.fetch import fetch
from sources.landing import LandingStore
from tests.lazy import lazy
from tests.publishers import servers as say
from tests.publishers.servers import FakePublishers, publishers
from tests.publishers.world import (
    areas,
    catalogue,
    client,
    fetched_editions,
    file_address,
    made_up,
    publish,
    publish_all,
)

ooxml = lazy("msoffcrypto.format.ooxml")

YESTERDAY: Final = datetime(2026, 1, 6, 6, 0, tzinfo=UTC)
TODAY: Final = YESTERDAY + timedelta(days=1)
Outcome = Literal["refused", "accepted", "unreachable"]
InUse = Literal["yesterday", "today", "none"]


# --- faults of the transfer ----------------------------------------------------------------------


@cache
def _protected_workbook() -> bytes:
    """A real workbook with a real password."""
    plain = io.BytesIO(made_up("dcms_community_life", "2023-24"))
    out = io.BytesIO()
    ooxml.OOXMLFile(plain).encrypt("secret", out)
    return out.getvalue()


@cache
def _zip_bomb() -> bytes:
    """A workbook whose one sheet unpacks to a thousand times its size."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(5):
                part.write(bytes(10_000_000))
    return out.getvalue()


@dataclass(frozen=True)
class TransferFault:
    """A fault of the transfer: what the server does, and which codes name it."""

    make: Callable[[], say.Fault]
    codes: frozenset[str]
    outcome: Outcome = "refused"
    times: int = -1
    body: bool = True
    lookup_codes: frozenset[str] = frozenset()


def _fault(
    fault: say.Fault | Callable[[], say.Fault], *codes: str, **more: object
) -> TransferFault:
    make = fault if more.pop("lazy", False) else lambda: fault
    return TransferFault(make, frozenset(codes), **more)  # type: ignore[arg-type]


TRANSFER_FAULTS: Final[Mapping[str, TransferFault]] = {
    "timeout": _fault(say.say_nothing(0.6), "timeout", outcome="unreachable", body=False),
    "connection reset midway": _fault(say.reset_midway, "connection_reset", outcome="unreachable"),
    "404": _fault(say.status(404), "not_found"),
    "410": _fault(say.status(410), "gone"),
    "500 then success": _fault(say.status(500), outcome="accepted", times=1, body=False),
    "500 throughout": _fault(say.status(500), "server_error", outcome="unreachable", body=False),
    "200 with an HTML error page": _fault(say.html_page, "html_instead_of_file"),
    "200 with an HTML page as the file": _fault(say.disguised_html, "html_instead_of_file"),
    "200 with a JSON error": _fault(say.json_error, "json_error"),
    "200 with a JSON error as the file": _fault(
        say.disguised_json, "json_document", lookup_codes=frozenset({"json_error"})
    ),
    "truncated file": _fault(say.truncated, "truncated"),
    "wrong content type": _fault(say.wrong_type, "wrong_content_type"),
    "redirect to another host": _fault(
        say.redirect("https://files.example.org/tables.ods"), "not_allowed_host", body=False
    ),
    "redirect loop": _fault(say.redirect_in_circles, "redirect_loop", body=False),
    "oversize body": _fault(say.oversize(4_000_000), "too_large"),
    "gzip bomb": _fault(lambda: say.gzip_bomb(30_000_000), "too_large", lazy=True),
    "zip bomb": _fault(
        lambda: say.sends(_zip_bomb()),
        "zip_bomb",
        lazy=True,
        lookup_codes=frozenset({"json_error"}),
    ),
    "password-protected workbook": _fault(
        lambda: say.sends(_protected_workbook()),
        "password_protected",
        lazy=True,
        lookup_codes=frozenset({"json_error"}),
    ),
}


# --- faults of the content -----------------------------------------------------------------------

ACCEPTED: Final[Mapping[Fault, str]] = {
    Fault.HEADER_MOVED: "header_moved",
    Fault.RENAMED_SHEET: "sheet_renamed",
    Fault.EXTRA_COLUMN: "extra_column",
    Fault.PERCENT_AS_FRACTION: "percent_as_fraction",
    Fault.VALUES_AS_TEXT: "number_as_text",
    Fault.SUPPRESSED_CELL: "status_symbols",
    Fault.NOT_AVAILABLE_CELL: "status_symbols",
    Fault.OTHER_CODE_VINTAGE: "code_vintage",
}
"""Faults that are no reason to refuse a file, and the remark that says what was met."""

REFUSED: Final[Mapping[Fault, frozenset[str]]] = {
    Fault.MISSING_SHEET: frozenset({"missing_sheet"}),
    Fault.RENAMED_COLUMN: frozenset({"missing_column", "unknown_layout"}),
    Fault.TWO_COLUMNS_MATCH: frozenset({"ambiguous_column"}),
    Fault.DECIMAL_COMMAS: frozenset({"decimal_comma"}),
    Fault.UNKNOWN_SYMBOL: frozenset({"unknown_symbol"}),
    Fault.MISSING_AUTHORITY: frozenset({"missing_area"}),
    Fault.DOUBLED_AUTHORITY: frozenset(
        {
            "conflicting_area",
            "conflicting_duplicates",
            "doubled_area",
            "doubled_age",
            "doubled_member",
        }
    ),
    Fault.UNKNOWN_AREA: frozenset({"unknown_area", "missing_area"}),
    Fault.SWAPPED_BOUNDS: frozenset({"bounds_swapped"}),
    Fault.VALUE_OUTSIDE_INTERVAL: frozenset({"interval_excludes_value"}),
    # In a file with the ages one by one, the age that jumps is seen beside its neighbours.
    Fault.IMPLAUSIBLE_JUMP: frozenset({"implausible_jump", "far_from_others"}),
    Fault.ZERO_WIDTH_INTERVAL: frozenset({"zero_width_interval"}),
    Fault.EMPTY_TABLE: frozenset({"empty_table"}),
    Fault.LAST_YEARS_FILE: frozenset({"wrong_edition", "last_years_file"}),
    Fault.TRUNCATED: frozenset({"truncated"}),
    Fault.PASSWORD_PROTECTED: frozenset({"password_protected"}),
    Fault.ZIP_BOMB: frozenset({"zip_bomb"}),
    Fault.HTML_PAGE: frozenset({"html_instead_of_file", "html_page"}),
    Fault.JSON_ERROR: frozenset({"json_document", "service_error"}),
}
"""Faults for which a file is refused, and the codes that name them (by kind of file)."""


LEFT_OUT: Final = frozenset(
    {Fault.MISSING_SHEET, Fault.RENAMED_COLUMN, Fault.TWO_COLUMNS_MATCH, Fault.EMPTY_TABLE}
)
"""Faults that cost one table, with a warning, where the catalogue allows a table to be unread."""


@dataclass(frozen=True)
class Case:
    """One fault for one edition."""

    dataset: str
    edition: str
    fault: str
    kind: Literal["transfer", "content"]

    def __str__(self) -> str:
        return f"{self.dataset}-{self.fault.replace(' ', '_')}"


@dataclass(frozen=True)
class Result:
    """What came of a case.

    ``code`` and ``message`` name the fault, or the note with which it was accepted. ``untouched``:
    yesterday's file is in the store with its bytes. ``in_use``: the revision that would be used now is
    ``yesterday``, ``today`` or ``none``. ``quarantined``: how many reasons the refused copy has.
    """

    case: Case
    outcome: Outcome
    code: str
    message: str
    untouched: bool
    in_use: InUse
    quarantined: int


def usual_edition(dataset: Dataset) -> Edition:
    """The edition that faults are planted in: the newest one that has authorities."""
    held = [edition for entry, edition in fetched_editions() if entry.code == dataset.code]
    deep = [edition for edition in held if {"lad", "smc_area"} & set(edition.levels)]
    return (deep or held)[-1]


def _dated_edition(dataset: Dataset) -> Edition:
    """An edition whose code vintage is known."""
    held = [edition for entry, edition in fetched_editions() if entry.code == dataset.code]
    return next((edition for edition in held if edition.code_vintage), held[0])


def cases() -> list[Case]:
    """Every fault that can befall every dataset."""
    found = []
    for dataset in _by_code(fetched_editions()).values():
        edition = usual_edition(dataset).edition
        found += [Case(dataset.code, edition, fault, "transfer") for fault in TRANSFER_FAULTS]
        for fault in applicable_faults(dataset):
            chosen = edition
            if fault is Fault.OTHER_CODE_VINTAGE:
                chosen = _dated_edition(dataset).edition
                if dataset.edition(chosen).code_vintage is None:
                    continue
            if fault is Fault.HEADER_MOVED and not _knows_header_row(dataset, chosen):
                continue
            if fault is Fault.IMPLAUSIBLE_JUMP and not _has_earlier(dataset, chosen):
                continue
            found.append(Case(dataset.code, chosen, fault.value, "content"))
    return found


def _by_code(pairs: list[tuple[Dataset, Edition]]) -> dict[str, Dataset]:
    return {dataset.code: dataset for dataset, _ in pairs}


def _knows_header_row(dataset: Dataset, edition: str) -> bool:
    """Whether the catalogue says in which row the header usually is: the remark rests on it."""
    return not dataset.layout(edition).tables or bool(dataset.layout(edition).header_rows)


def _has_earlier(dataset: Dataset, edition: str) -> bool:
    """Whether the authorities of the edition before are there to compare with."""
    rules = dataset.jump is not None or any(measure.jump for measure in dataset.measures)
    before = dataset.before(edition)
    deep = {"lad", "smc_area"}
    return rules and bool(before) and bool(deep & set(before[0].levels) or not before[0].levels)


# --- running -------------------------------------------------------------------------------------


def _land_yesterday(store: LandingStore, dataset: Dataset, edition: Edition) -> str:
    return store.land(
        dataset.code,
        edition.edition,
        made_up(dataset.code, edition.edition),
        file_name="yesterday.csv",
        address="https://example.org/yesterday.csv",
        retrieved_at=YESTERDAY,
    ).sha256


def run(case: Case, world: FakePublishers, folder: Path) -> Result:
    """Let the fault happen. ``world`` publishes the whole catalogue; ``folder`` is empty."""
    dataset = catalogue().dataset(case.dataset)
    edition = dataset.edition(case.edition)
    store = LandingStore(folder / "landing", folder / "quarantine")
    if case.fault == Fault.IMPLAUSIBLE_JUMP:
        _land_yesterday(store, dataset, dataset.before(case.edition)[0])
    yesterday = _land_yesterday(store, dataset, edition)
    if case.kind == "transfer":
        outcome, code, message = _refresh_with_transfer_fault(case, world, store, dataset, edition)
    else:
        outcome, code, message = _refresh_with_content_fault(case, world, store, dataset, edition)
    revisions = store.revisions(case.dataset, case.edition)
    in_use: InUse = "yesterday" if revisions[0].sha256 == yesterday else "today"
    if case.kind == "content" and outcome == "accepted":
        code, message = _remark(store.read(revisions[0]), case)
    held = {landed.sha256: landed for landed in revisions}
    return Result(
        case,
        outcome,
        code,
        message,
        untouched=yesterday in held and bool(store.read(held[yesterday])),
        in_use=in_use,
        quarantined=sum(
            len(each.reasons) for each in store.quarantined(case.dataset, case.edition)
        ),
    )


def _refresh_with_transfer_fault(
    case: Case, world: FakePublishers, store: LandingStore, dataset: Dataset, edition: Edition
) -> tuple[Outcome, str, str]:
    publish(world, dataset, edition, made_up(case.dataset, case.edition, seed=2), stamp="2")
    fault = TRANSFER_FAULTS[case.fault]
    server, pattern = file_address(dataset, edition)
    world.script(server, pattern, fault.make(), times=fault.times)
    return _refresh(world, store, dataset, edition)


def _faulty(case: Case) -> bytes:
    """Yesterday's file with the fault; other figures only where yesterday's has no place for it."""
    for seed in range(1, 30):
        content = made_up(case.dataset, case.edition, seed, (Fault(case.fault),))
        if content != made_up(case.dataset, case.edition, seed):
            return content
    raise AssertionError(f"{case}: the fault was not planted")


def _refresh_with_content_fault(
    case: Case, world: FakePublishers, store: LandingStore, dataset: Dataset, edition: Edition
) -> tuple[Outcome, str, str]:
    content = _faulty(case)
    if isinstance(dataset.discovery, OnsArcgisDiscovery):
        code, message = _hand_in(store, dataset, edition, content)
        return "refused" if code else "accepted", code, message
    if not isinstance(dataset.discovery, NomisDiscovery | OnsElsDiscovery):
        publish(world, dataset, edition, content, stamp="2")
    else:
        # These services put their rows into columns of their own; the faulty file must arrive as it is.
        publish(world, dataset, edition, made_up(case.dataset, case.edition, seed=2), stamp="2")
        server, pattern = file_address(dataset, edition)
        world.script(server, pattern, say.sends(content))
    return _refresh(world, store, dataset, edition)


def _refresh(
    world: FakePublishers, store: LandingStore, dataset: Dataset, edition: Edition
) -> tuple[Outcome, str, str]:
    # Made-up figures are not compared with the real ones that ship with the project.
    (found,) = fetch(
        dataset,
        [edition],
        mode="only_publisher",
        store=store,
        areas=areas(),
        http=client(world),
        now=TODAY,
    )
    if found.error is None:
        return "accepted", "", found.message
    unreachable = found.state == "publisher_unreachable"
    return "unreachable" if unreachable else "refused", found.error.code, str(found.error)


def _remark(content: bytes, case: Case) -> tuple[str, str]:
    """The first remark on an accepted file that the same file without its fault does not get."""
    usual = _usual_remarks(case.dataset, case.edition)
    found = [pair for pair in _remarks(content, case.dataset, case.edition) if pair not in usual]
    return found[0] if found else ("", "accepted without a remark")


def _remarks(content: bytes, dataset: str, edition: str) -> list[tuple[str, str]]:
    entry = catalogue().dataset(dataset)
    found = examine(content, "file", entry, entry.edition(edition), areas())
    return [(each.code, each.message) for each in (*found.notes, *found.findings)]


@cache
def _usual_remarks(dataset: str, edition: str) -> frozenset[tuple[str, str]]:
    return frozenset(_remarks(made_up(dataset, edition), dataset, edition))


def _hand_in(
    store: LandingStore, dataset: Dataset, edition: Edition, content: bytes
) -> tuple[str, str]:
    """What happens to a file that a person hands in."""
    try:
        receive(
            dataset,
            edition,
            content,
            file_name="handed-in.csv",
            address=None,
            store=store,
            areas=areas(),
            now=TODAY,
            bundled=None,
        )
    except (ParseError, ContractError, LandingError) as error:
        return error.code, str(error)
    return "", ""


# --- judging -------------------------------------------------------------------------------------


def faults_in(result: Result) -> list[str]:
    """What is wrong with the outcome of a case; empty where it is as it must be."""
    case = result.case
    wrong = []
    if case.kind == "transfer":
        fault = TRANSFER_FAULTS[case.fault]
        lookup = isinstance(catalogue().dataset(case.dataset).discovery, OnsArcgisDiscovery)
        codes = (fault.lookup_codes if lookup else frozenset()) or fault.codes
        outcome, body = fault.outcome, fault.body
    else:
        planted = Fault(case.fault)
        left_out = planted in LEFT_OUT and catalogue().dataset(case.dataset).allowance.tables > 0
        outcome = "accepted" if planted in ACCEPTED or left_out else "refused"
        codes = frozenset({ACCEPTED[planted]}) if planted in ACCEPTED else REFUSED[planted]
        body = outcome == "refused"
    if result.outcome != outcome:
        wrong.append(f"outcome {result.outcome}, expected {outcome}")
    if codes and result.code not in codes:
        wrong.append(f"code {result.code!r}, expected {' or '.join(sorted(codes))}")
    if not result.message:
        wrong.append("no message")
    if outcome != "accepted" and case.dataset not in result.message:
        wrong.append("the message does not name the dataset")
    if outcome != "accepted" and case.edition not in result.message:
        wrong.append("the message does not name the edition")
    if not result.untouched:
        wrong.append("yesterday's file was touched")
    if result.in_use != ("today" if outcome == "accepted" else "yesterday"):
        wrong.append(f"in use now: {result.in_use}")
    if bool(result.quarantined) != body:
        wrong.append(f"{result.quarantined} reasons in quarantine")
    return wrong


def run_all(pattern: str = "") -> list[Result]:
    """Run every case whose name matches."""
    results = []
    with publishers() as world, tempfile.TemporaryDirectory() as temporary:
        for number, case in enumerate(cases()):
            if re.search(pattern, str(case)):
                world.clear()
                publish_all(world)
                results.append(run(case, world, Path(temporary) / str(number)))
    return results


def as_markdown(results: list[Result]) -> str:
    """The results as a table, and the counts below it."""
    lines = [
        "| fault | dataset | edition | outcome | code | in use afterwards | set aside | message | as expected |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        message = re.sub(r"http://127\.0\.0\.1:\d+", "", result.message)
        message = message if len(message) <= 220 else message[:219] + "…"
        cells = (
            result.case.fault.replace("_", " "),
            result.case.dataset,
            result.case.edition,
            result.outcome,
            result.code or "-",
            f"{result.in_use}'s file" if result.in_use != "none" else "none",
            "yes" if result.quarantined else "no",
            message.replace("|", "\\|"),
            "; ".join(faults_in(result)) or "yes",
        )
        lines.append("| " + " | ".join(cells) + " |")
    right = sum(not faults_in(result) for result in results)
    refused = sum(result.outcome != "accepted" for result in results)
    lines += [
        "",
        f"{len(results)} tried: {refused} refused or not reached, {len(results) - refused} accepted "
        f"and noted; {right} as expected, {len(results) - right} not.",
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the table. An argument is a regular expression that limits the cases."""
    results = run_all(arguments[0] if arguments else "")
    print(as_markdown(results))
    return int(any(faults_in(result) for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
