"""The successor survey: releases by topic on loopback become one edition of the same measures."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import partial

import pandas as pd
import pytest

from sources.fetch import fetch
from sources.landing import LandingStore
from sources.parsers import PARSERS, ParseContext
from tests.lazy import lazy
from tests.publishers.servers import XLSX, FakePublishers
from tests.publishers.world import areas, catalogue, client, made_up, publish_topic

openpyxl = lazy("openpyxl")

CES = catalogue().dataset("dcms_community_engagement")
CLS = catalogue().dataset("dcms_community_life")
EDITION = CES.edition("2025-26")
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def topics() -> dict[str, bytes]:
    """The sheets of one made-up workbook, spread over two."""
    parts = {}
    for topic, first in (("neighbourhood", "B"), ("civic-engagement", "CX")):
        book = openpyxl.load_workbook(io.BytesIO(_whole()))
        for sheet in book.worksheets:
            if sheet.title[0] not in first:
                book.remove(sheet)
        out = io.BytesIO()
        book.save(out)
        parts[topic] = out.getvalue()
    return parts


def _whole() -> bytes:
    from demonstration.publisher_files import write_publisher_file

    return write_publisher_file(CES, EDITION, areas(), seed=1, form="xlsx")


def read(content: bytes) -> pd.DataFrame:
    assert CES.parser is not None
    context = ParseContext(CES, EDITION, areas(), "tables.zip")
    return PARSERS[CES.parser](content, context).rows


# The next test joins one topic; two whole workbooks are among the slow ones.
@pytest.mark.slow
def test_topic_releases_are_landed_as_one_edition_with_the_measures_of_the_old_survey(
    world: FakePublishers, store: LandingStore
) -> None:
    world.search_results.clear()
    for topic, content in topics().items():
        tables = world.attach(content, f"{topic}.xlsx", f"{topic} data tables", XLSX)
        publish_topic(world, CES, EDITION, topic, [tables])
    ask = partial(fetch, CES, [EDITION], mode="only_publisher", store=store, areas=areas(), now=NOW)
    (outcome,) = ask(http=client(world))
    assert outcome.error is None, outcome.message
    (landed,) = store.revisions(CES.code, "2025-26")
    rows = read(store.read(landed))
    assert set(rows["measure"]) == {measure.code for measure in CLS.measures}
    pd.testing.assert_frame_equal(
        rows.drop(columns=["revision", "file_sha256"]),
        read(_whole()).drop(columns=["revision", "file_sha256"]),
    )
    (again,) = ask(http=client(world))
    assert again.state == "publisher_unchanged"


@pytest.mark.slow
def test_a_revision_of_one_topic_is_a_revision_of_the_edition(
    world: FakePublishers, store: LandingStore
) -> None:
    for seed in (1, 2):
        tables = world.attach(
            made_up(CES.code, "2025-26", seed), "tables.ods", "Data tables", "application/zip"
        )
        tables["content_type"] = "application/vnd.oasis.opendocument.spreadsheet"
        world.search_results.clear()
        publish_topic(world, CES, EDITION, "neighbourhood", [tables])
        (outcome,) = fetch(
            CES,
            [EDITION],
            mode="only_publisher",
            store=store,
            areas=areas(),
            http=client(world),
            now=NOW,
        )
    assert outcome.state == "publisher_revision"
    assert len(store.revisions(CES.code, "2025-26")) == 2


def test_the_measures_of_both_surveys_have_one_series_and_feed_the_same_barometers() -> None:
    assert CES.series == CLS.code
    assert {m.code for m in CES.measures} == {m.code for m in CLS.measures}
    assert CLS.succeeded_by == CES.code
