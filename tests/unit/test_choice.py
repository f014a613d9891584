"""The newest good revision is used, then the bundled figures; what was refused is reported."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import sources.examination
from sources.areas import AreaBook
from sources.arrival import receive
from sources.catalogue import (
    BUNDLED_DIRECTORY,
    Dataset,
    Edition,
    SmcDiscovery,
    bundled_path,
    load_catalogue,
)
from sources.errors import ContractError, ParseError
from sources.examination import correct, examine
from sources.landing import LandingStore
from sources.observation import as_observations
from sources.parsers import Note, ParseContext, Parsed
from sources.selection import EditionUsed, load_bundled, observe
from tests.reference_data import REFERENCE_DATA, needs_reference_data

ROOT = Path(__file__).parents[2]
CATALOGUE = load_catalogue()
AREAS = AreaBook.from_seeds(ROOT / "dbt_project" / "seeds")
INDEX = CATALOGUE.dataset("smc_promising_prospects")
OLD, NEW = INDEX.edition("2024"), INDEX.edition("2025")
NOON = datetime(2025, 12, 18, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing", tmp_path / "quarantine")


def parse_csv(content: bytes, context: ParseContext) -> Parsed:
    """A stand-in for a publisher's layout: the tidy shape itself as CSV, first line a command."""
    first, _, rest = content.decode().partition("\n")
    if first == "crash":
        raise RuntimeError("nobody foresaw this")
    if first == "fault":
        raise ParseError("the sheet is missing", code="missing_sheet", file=context.file_name)
    path_rows = load_bundled(
        context.dataset, context.edition, bundled_path(context.dataset, context.edition)
    )
    rows = path_rows.assign(
        revision="0" * 12,
        origin="publisher",
        citation=None,
        file_sha256="0" * 64,
        row_number=range(2, len(path_rows) + 2),
        column_letter="P",
    )
    if first == "shift":
        rows["value"] += 0.001
    if first.startswith("short"):
        rows = rows.iloc[1:]
    if first.endswith("shifted"):
        rows.iloc[0, rows.columns.get_loc("value")] = float("inf")
    return Parsed(as_observations(rows), (Note("read", rest.strip() or "nothing"),))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    parsers: Mapping[str, object] = {"smc_index": parse_csv}
    monkeypatch.setattr(sources.examination, "PARSERS", parsers)


def used(
    dataset: Dataset, edition: Edition, store: LandingStore, bundled: Path = BUNDLED_DIRECTORY
) -> EditionUsed:
    """What is used of one edition."""
    found = observe(dataset, store, AREAS, bundled=bundled)
    return next(each for each in found.editions if each.edition == edition.edition)


def land(store: LandingStore, content: str, hours: int = 0, edition: str = "2025") -> str:
    landed = store.land(
        INDEX.code,
        edition,
        content.encode(),
        file_name="index.csv",
        address="https://social-mobility.data.gov.uk/index.csv",
        retrieved_at=NOON + timedelta(hours=hours),
    )
    return landed.revision


@pytest.mark.usefixtures("stand_in")
def test_the_newest_good_revision_is_used(store):
    land(store, "good\none")
    newest = land(store, "good\ntwo", hours=1)
    intake = used(INDEX, NEW, store)
    assert (intake.state, intake.origin, intake.revision) == ("accepted", "publisher", newest)
    assert intake.address == "https://social-mobility.data.gov.uk/index.csv"
    assert intake.retrieved_at == NOON + timedelta(hours=1)
    assert intake.notes == (Note("read", "two"),)
    assert intake.rejections == ()
    assert intake.figures == 410


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("bad", "code"),
    [
        pytest.param("fault", "missing_sheet", marks=pytest.mark.slow),
        ("crash", "parser_failed"),
        ("short", "missing_area"),
    ],
)
@pytest.mark.planted_fault
def test_a_bad_revision_is_set_aside_with_its_reasons_and_the_one_before_used(store, bad, code):
    good = land(store, "good")
    refused = land(store, bad, hours=1)
    intake = used(INDEX, NEW, store)
    assert (intake.state, intake.revision) == ("accepted", good)
    (rejection,) = intake.rejections
    assert (rejection.revision, rejection.code) == (refused, code)
    (aside,) = store.quarantined(INDEX.code, "2025")
    assert aside.landed
    assert aside.path.read_bytes() == bad.encode()
    assert aside.reasons[0].startswith(f"{code}: ")
    assert INDEX.code in rejection.error or "index.csv" in rejection.error
    assert [item.revision for item in store.revisions(INDEX.code, "2025")] == [refused, good]


@pytest.mark.usefixtures("stand_in")
def test_with_no_good_revision_the_bundled_figures_are_used(store):
    land(store, "fault")
    intake = used(INDEX, NEW, store)
    assert (intake.state, intake.origin, intake.revision) == ("accepted", "transcribed", "bundled")
    assert intake.file_name == "2025.csv"
    assert intake.retrieved_at is None
    assert len(intake.rejections) == 1


@pytest.mark.usefixtures("stand_in")
@pytest.mark.planted_fault
def test_altered_bytes_are_refused_not_used(store):
    land(store, "good")
    (landed,) = store.revisions(INDEX.code, "2025")
    landed.path.chmod(0o644)
    landed.path.write_bytes(b"good\nbut altered")
    intake = used(INDEX, NEW, store)
    assert intake.origin == "transcribed"
    assert [rejection.code for rejection in intake.rejections] == ["bytes_changed"]
    (aside,) = store.quarantined(INDEX.code, "2025")
    assert aside.path.read_bytes() == b"good\nbut altered"


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
@pytest.mark.planted_fault
def test_lost_bytes_are_refused_not_used(store):
    land(store, "good")
    (landed,) = store.revisions(INDEX.code, "2025")
    landed.path.unlink()
    intake = used(INDEX, NEW, store)
    assert [rejection.code for rejection in intake.rejections] == ["bytes_changed"]
    assert store.quarantined(INDEX.code, "2025") == []


def test_nothing_held_is_said_and_has_empty_rows(store, tmp_path):
    intake = used(INDEX, NEW, store, tmp_path)
    assert (intake.state, intake.origin, intake.revision) == ("nothing_held", None, None)
    rows = observe(INDEX, store, AREAS, bundled=tmp_path).rows
    assert rows.empty
    assert list(rows.columns) == list(as_observations(pd.DataFrame()).columns)


def test_landed_files_of_a_dataset_without_a_parser_are_refused(store, tmp_path):
    report = CATALOGUE.dataset("young_foundation_report")
    store.land(report.code, "2023-24", b"x", file_name="a.csv", address=None, retrieved_at=NOON)
    intake = used(report, report.edition("2023-24"), store, tmp_path)
    assert intake.state == "nothing_held"
    assert [rejection.code for rejection in intake.rejections] == ["no_parser"]


def copy_bundle(folder: Path, dataset: Dataset, edition: str) -> Path:
    path = folder / dataset.code / f"{edition}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(BUNDLED_DIRECTORY / dataset.code / f"{edition}.csv", path)
    path.chmod(0o644)
    return path


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (",transcribed,", ",publisher,", "bad_bundle"),
        (",bundled,", ",other,", "bad_bundle"),
        ("citation\n", "remark\n", "bad_bundle"),
        (",z_score,", ",percent,", "wrong_unit"),
    ],
)
def test_a_faulty_bundle_is_refused(store, tmp_path, old, new, code):
    path = copy_bundle(tmp_path / "b", INDEX, "2024")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    intake = used(INDEX, OLD, store, tmp_path / "b")
    assert intake.state == "nothing_held"
    (rejection,) = intake.rejections
    assert (rejection.revision, rejection.code) == ("bundled", code)
    if code == "bad_bundle":
        with pytest.raises(ContractError, match=r"2024\.csv"):
            load_bundled(INDEX, OLD, path)


def test_columns_that_are_empty_throughout_may_be_left_out(tmp_path):
    path = copy_bundle(tmp_path, INDEX, "2024")
    frame = pd.read_csv(path, dtype="string", keep_default_na=False)
    empty = [column for column in frame.columns if frame[column].eq("").all()]
    assert empty
    frame.drop(columns=empty).to_csv(path, index=False)
    pd.testing.assert_frame_equal(
        load_bundled(INDEX, OLD, path),
        load_bundled(INDEX, OLD, bundled_path(INDEX, OLD)),
        check_dtype=True,
    )


def test_every_bundled_file_belongs_to_the_catalogue():
    paths = set(BUNDLED_DIRECTORY.rglob("*.csv"))
    assert paths
    assert paths <= {
        bundled_path(dataset, edition)
        for dataset in CATALOGUE.datasets.values()
        for edition in dataset.editions
    }


# One index here, all datasets among the slow tests.
@pytest.mark.parametrize(
    "dataset",
    [
        pytest.param(dataset, id=code, marks=[] if code == INDEX.code else pytest.mark.slow)
        for code, dataset in CATALOGUE.datasets.items()
    ],
)
def test_every_bundled_file_keeps_its_contract(store, dataset):
    found = observe(dataset, store, AREAS)
    for edition, each in zip(dataset.editions, found.editions, strict=True):
        if bundled_path(dataset, edition).is_file():
            assert each.rejections == (), edition.edition
            assert each.origin in ("transcribed", "reported")


@pytest.mark.usefixtures("stand_in")
def test_earlier_editions_are_compared_without_being_asked(store, monkeypatch):
    seen = []

    def watch(rows, dataset, edition, areas, *, previous=None):
        seen.append((edition.edition, None if previous is None else set(previous["edition"])))
        return []

    monkeypatch.setattr(sources.examination, "check_rows", watch)
    land(store, "good")
    used(INDEX, NEW, store)
    assert seen == [("2024", None), ("2025", {"2024"}), ("2025", None)], (
        "the last is the older copy"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_a_landed_earlier_edition_is_preferred_for_the_comparison(store, monkeypatch):
    seen = []
    land(store, "shift", edition="2024")
    original = sources.examination.check_rows

    def watch(rows, dataset, edition, areas, *, previous=None):
        if previous is not None:
            seen.append(set(previous["origin"]))
        return original(rows, dataset, edition, areas, previous=previous)

    monkeypatch.setattr(sources.examination, "check_rows", watch)
    land(store, "good")
    used(INDEX, NEW, store)
    assert seen == [{"publisher"}]
    assert store.quarantined(INDEX.code, "2025") == []


def ons_rows(**changes: list[float]) -> pd.DataFrame:
    dataset = CATALOGUE.dataset("ons_local_statistics")
    edition = dataset.edition("2023-24")
    frame = {
        "dataset": dataset.code,
        "edition": "2023-24",
        "revision": "x",
        "measure": ["arts_engagement", "arts_engagement", "library_engagement"],
        "area_code": ["E12000005", "E12000001", "E12000005"],
        "area_name": "x",
        "area_level": "itl1",
        "period_start": edition.period_start,
        "period_end": edition.period_end,
        "unit": "percent",
        "value": [89.0, 89.0, 23.0],
        "lower_95": [88.0, 89.0, 23.0],
        "upper_95": [88.0, 89.0, 24.0],
        "status": "published",
        "origin": "publisher",
    } | changes
    return as_observations(pd.DataFrame(frame))


def test_a_known_fault_is_corrected_and_noted():
    dataset = CATALOGUE.dataset("ons_local_statistics")
    before = ons_rows()
    rows, notes = correct(before, dataset, dataset.edition("2023-24"))
    assert rows["lower_95"].isna().tolist() == [True, True, False]
    assert rows["value"].tolist() == [89.0, 89.0, 23.0]
    assert [note.code for note in notes] == ["correction_applied"]
    assert before["lower_95"].notna().all()


def test_a_correction_whose_fault_is_gone_is_not_applied():
    dataset = CATALOGUE.dataset("ons_local_statistics")
    good = ons_rows(upper_95=[90.0, 90.0, 24.0])
    rows, notes = correct(good, dataset, dataset.edition("2023-24"))
    pd.testing.assert_frame_equal(rows, good)
    assert [note.code for note in notes] == ["correction_not_needed"]


@pytest.mark.usefixtures("stand_in")
def test_every_broken_rule_is_reported_at_once():
    good = examine(b"good", "index.csv", INDEX, NEW, AREAS)
    assert len(good.rows) == 410
    assert [note.code for note in good.notes] == ["read"]
    with pytest.raises(ContractError) as caught:
        examine(b"short and shifted", "index.csv", INDEX, NEW, AREAS)
    for code in ("missing_area", "value_not_finite"):
        assert f"{code}: " in caught.value.message


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    "address",
    [
        "https://social-mobility.data.gov.uk/index.csv",
        pytest.param(None, marks=pytest.mark.slow),
    ],
)
def test_a_file_is_read_once_on_its_way_in(store, monkeypatch, address):
    read = []

    def count(content: bytes, context: ParseContext) -> Parsed:
        read.append(content)
        return parse_csv(content, context)

    monkeypatch.setattr(sources.examination, "PARSERS", {"smc_index": count})
    given = {"file_name": "index.csv", "address": address, "store": store, "areas": AREAS}
    landed, examined = receive(INDEX, NEW, b"good", now=NOON, **given)
    assert (landed.revision, len(examined.rows)) == (
        store.revisions(INDEX.code, "2025")[0].revision,
        410,
    )
    with pytest.raises(ParseError):
        receive(INDEX, NEW, b"fault", now=NOON, **given)
    assert read == [b"good", b"fault"]
    assert len(store.revisions(INDEX.code, "2025")) == 1
    (refused,) = store.quarantined(INDEX.code, "2025")
    assert refused.reasons[0].startswith("missing_sheet: ")


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_a_file_refused_by_hand_is_reported_until_it_is_superseded(store):
    def hand_in(content: str, hours: int) -> None:
        receive(
            INDEX,
            NEW,
            content.encode(),
            file_name="index.csv",
            address=None,
            store=store,
            areas=AREAS,
            now=NOON + timedelta(hours=hours),
        )

    land(store, "good")
    for hours, content in ((1, "fault"), (3, "short")):
        with pytest.raises((ParseError, ContractError)):
            hand_in(content, hours)
    found = used(INDEX, NEW, store)
    assert [each.code for each in found.rejections] == ["refused_by_hand"] * 2
    assert [each.error.partition(":")[0] for each in found.rejections] == [
        "missing_area",
        "missing_sheet",
    ]
    hand_in("good\nnewer", 2)
    (left,) = used(INDEX, NEW, store).rejections
    assert left.error.startswith("missing_area: ")
    store.unland(INDEX.code, "2025", left.revision, who="me", why="a mistake", now=NOON)
    assert used(INDEX, NEW, store).rejections == ()


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_an_unlanded_revision_is_not_used_until_it_is_handed_in_again(store):
    first = land(store, "good\none")
    second = land(store, "good\ntwo", hours=1)
    store.unland(INDEX.code, "2025", second, who="me", why="withdrawn", now=NOON)
    assert used(INDEX, NEW, store).revision == first
    land(store, "good\ntwo", hours=2)
    assert used(INDEX, NEW, store).revision == first, "a publisher sends it again and again"
    receive(
        INDEX,
        NEW,
        b"good\ntwo",
        file_name="index.csv",
        address=None,
        store=store,
        areas=AREAS,
        now=NOON + timedelta(hours=3),
    )
    assert used(INDEX, NEW, store).revision == second


@pytest.mark.slow
@needs_reference_data
@pytest.mark.parametrize("code", sorted(c for c in CATALOGUE.datasets if c.startswith("smc_")))
def test_the_publishers_index_files_say_what_is_bundled(store, code):
    dataset = CATALOGUE.dataset(code)
    assert isinstance(dataset.discovery, SmcDiscovery)
    for edition, file in dataset.discovery.files.items():
        path = REFERENCE_DATA / "social_mobility_commission" / edition / file.file_name
        store.land(
            code,
            edition,
            path.read_bytes(),
            file_name=path.name,
            address=None,
            retrieved_at=NOON,
        )
        entry = dataset.edition(edition)
        found = observe(dataset, store, AREAS)
        intake = next(each for each in found.editions if each.edition == edition)
        rows = found.rows
        assert (intake.origin, intake.rejections) == ("publisher", ())
        carried = load_bundled(dataset, entry, bundled_path(dataset, entry))
        figures = ["measure", "area_code", "area_name", "period_start", "period_end"]
        figures += ["value", "group_number", "group_label"]
        pd.testing.assert_frame_equal(
            rows.loc[rows["edition"] == edition, figures]
            .sort_values(figures)
            .reset_index(drop=True),
            carried[figures].sort_values(figures).reset_index(drop=True),
        )


@needs_reference_data
def test_an_index_file_of_last_year_under_this_years_name_is_refused(store):
    assert isinstance(INDEX.discovery, SmcDiscovery)
    name = INDEX.discovery.files["2024"].file_name
    content = (REFERENCE_DATA / "social_mobility_commission" / "2024" / name).read_bytes()
    store.land(INDEX.code, "2025", content, file_name=name, address=None, retrieved_at=NOON)
    intake = used(INDEX, NEW, store)
    assert intake.origin == "transcribed"
    assert len(intake.rejections) == 1
