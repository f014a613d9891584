"""Finding the file: what each publisher's answer means, and what is refused in it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from sources.catalogue import Dataset, Edition, GovUkDiscovery, SmcDiscovery
from sources.errors import FetchError
from sources.http import HttpClient, Limits, Validators
from sources.publishers import Cursor, publisher_for
from sources.publishers.govuk import ContentItem, GovUk
from sources.publishers.smc import LatestPage, SocialMobilityCommission, _version_order
from tests.publishers import servers as say
from tests.publishers.servers import ODS, XLSX, Asset, FakePublishers, Reply, as_json
from tests.publishers.world import (
    catalogue,
    client,
    fetch,
    fetched_editions,
    made_up,
    publish_topic,
    smc_page,
)

CLS = catalogue().dataset("dcms_community_life")
CES = catalogue().dataset("dcms_community_engagement")
CLS_2025 = CLS.edition("2024-25")
LOOKUP = catalogue().dataset("ons_combined_authorities")
ELS = catalogue().dataset("ons_local_statistics")
POPULATION = catalogue().dataset("ons_population")
INDEX = catalogue().dataset("smc_promising_prospects")


def item(*attachments: dict[str, Any]) -> ContentItem:
    return ContentItem.model_validate(
        {"base_path": "/government/statistics/x", "details": {"attachments": list(attachments)}}
    )


def attachment(title: str, content_type: str = ODS, **more: Any) -> dict[str, Any]:
    url = f"https://assets.publishing.service.gov.uk/media/1/{title.replace(' ', '_')}.ods"
    return {
        "attachment_type": "file",
        "title": title,
        "content_type": content_type,
        "url": url,
    } | more


def chosen(*attachments: dict[str, Any]) -> str:
    assert isinstance(CLS.discovery, GovUkDiscovery)
    with HttpClient() as http:
        govuk = GovUk(CLS, CLS.discovery, http)
        return govuk.choose_attachment(item(*attachments), CLS_2025).title


def refusal(*attachments: dict[str, Any]) -> FetchError:
    with pytest.raises(FetchError) as caught:
        chosen(*attachments)
    return caught.value


# --- GOV.UK --------------------------------------------------------------------------------------


def test_the_tables_are_chosen_by_type_and_title() -> None:
    assert (
        chosen(
            attachment("Annual data tables"),
            attachment("Annual data tables", "text/html", attachment_type="html"),
            attachment("Annual data tables", "application/pdf"),
            attachment("Technical report tables"),
            attachment("Questionnaire"),
        )
        == "Annual data tables"
    )


def test_the_same_tables_in_two_forms_are_no_ambiguity() -> None:
    assert chosen(attachment("Data tables (Excel)", XLSX), attachment("Data tables", ODS)) == (
        "Data tables"
    )


def test_two_candidates_are_an_error_that_lists_them() -> None:
    twice = attachment("Data tables")
    assert chosen(twice, twice) == "Data tables"
    error = refusal(attachment("Data tables, part 1"), attachment("Data tables, part 2"))
    assert error.code == "ambiguous_attachment"
    assert "Data tables, part 1" in str(error)
    assert "Data tables, part 2" in str(error)


def test_no_candidate_is_an_error_that_lists_what_is_there() -> None:
    error = refusal(attachment("Commentary", "application/pdf"), attachment("Questionnaire"))
    assert error.code == "no_attachment"
    assert "Commentary" in str(error)
    assert "Questionnaire" in str(error)
    assert refusal().code == "no_attachment"


def test_a_release_is_found_and_fetched(world: FakePublishers) -> None:
    http = client(world)
    answer = fetch(http, CLS, CLS_2025)
    assert answer.file is not None
    assert answer.file.content == made_up(CLS.code, "2024-25")
    assert answer.file.file_name.endswith(".ods")
    assert answer.cursor.attachment_url == answer.file.address
    assert answer.cursor.attachment_size == len(answer.file.content)
    assert answer.cursor.updated_at
    assert answer.withdrawn is None
    assert http.requests == 2


def known(world: FakePublishers) -> Cursor:
    answer = fetch(client(world), CLS, CLS_2025)
    return answer.cursor.model_copy(update={"sha256": "0" * 64})


def test_an_unchanged_page_costs_one_request(world: FakePublishers) -> None:
    cursor = known(world)
    http = client(world)
    answer = fetch(http, CLS, CLS_2025, cursor)
    assert answer.file is None
    assert answer.cursor == cursor
    assert http.requests == 1


def test_an_edited_page_with_the_same_file_costs_two(world: FakePublishers) -> None:
    cursor = known(world)
    assert CLS_2025.page
    world.pages[CLS_2025.page]["updated_at"] = "2026-02-01T00:00:00Z"
    http = client(world)
    answer = fetch(http, CLS, CLS_2025, cursor)
    assert answer.file is None
    assert answer.cursor.updated_at == "2026-02-01T00:00:00Z"
    assert http.requests == 2


def test_a_page_without_validators_is_compared_by_what_it_says(world: FakePublishers) -> None:
    world.servers["govuk"].validators = False
    cursor = known(world)
    http = client(world)
    assert fetch(http, CLS, CLS_2025, cursor).file is None
    assert http.requests == 1


@pytest.mark.parametrize("swap", ["address", "bytes"])
def test_a_swap_that_leaves_the_public_date_alone_is_noticed(
    world: FakePublishers, swap: str
) -> None:
    cursor = known(world)
    assert CLS_2025.page
    page = world.pages[CLS_2025.page]
    before = page["public_updated_at"]
    other = made_up(CLS.code, "2024-25", seed=2)
    tables = page["details"]["attachments"][-1]
    if swap == "address":
        page["details"]["attachments"][-1] = world.attach(
            other, tables["filename"], tables["title"], ODS, stamp="69414fff"
        )
    else:
        # The same address and size, only the page's own date moved.
        path = tables["url"].removeprefix(world.servers["govuk_assets"].base)
        world.assets[path] = Asset(other, ODS)
    page["updated_at"] = "2025-12-16T11:38:54Z"
    answer = fetch(client(world), CLS, CLS_2025, cursor)
    assert page["public_updated_at"] == before
    assert answer.file is not None
    assert answer.file.content == other
    if swap == "address":
        assert any("without moving the page's public date" in each for each in answer.remarks)


def test_a_withdrawn_release_is_kept_and_flagged(world: FakePublishers) -> None:
    cursor = known(world)
    assert CLS_2025.page
    world.pages[CLS_2025.page]["withdrawn_notice"] = {
        "explanation": "<p>An error was found in table B4.</p>",
        "withdrawn_at": "2026-01-05T10:00:00Z",
    }
    for given in (None, cursor):
        answer = fetch(client(world), CLS, CLS_2025, given)
        assert answer.withdrawn == "withdrawn 2026-01-05: An error was found in table B4."
        assert answer.cursor.withdrawn == answer.withdrawn
        assert any("It is kept, and flagged." in each for each in answer.remarks)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"document_type": "redirect", "redirects": [{"destination": "/new"}]}, "page_moved"),
        ({"document_type": "gone"}, "gone"),
        ({"base_path": 3}, "unexpected_payload"),
        (["a list"], "unexpected_payload"),
        ("text", "unexpected_payload"),
        (None, "unexpected_payload"),
        ({"base_path": "/x", "details": {"attachments": [{"title": 1}]}}, "unexpected_payload"),
        ({"base_path": "/x"}, "no_attachment"),
        ({"document_type": "redirect", "redirects": "odd"}, "page_moved"),
    ],
)
def test_pages_that_are_no_release(world: FakePublishers, payload: Any, code: str) -> None:
    world.script("govuk", "/api/content", lambda reply: as_json(payload))
    with pytest.raises(FetchError) as caught:
        fetch(client(world), CLS, CLS_2025)
    assert caught.value.code == code
    assert (caught.value.dataset, caught.value.edition) == ("dcms_community_life", "2024-25")


def test_an_attachment_elsewhere_is_not_fetched(world: FakePublishers) -> None:
    assert CLS_2025.page
    tables = world.pages[CLS_2025.page]["details"]["attachments"][-1]
    tables["url"] = "https://files.example.org/tables.ods"
    http = client(world)
    with pytest.raises(FetchError) as caught:
        fetch(http, CLS, CLS_2025)
    assert caught.value.code == "not_allowed_host"
    assert http.requests == 1


def test_a_relative_attachment_is_the_sites_own(world: FakePublishers) -> None:
    assert CLS_2025.page
    tables = world.pages[CLS_2025.page]["details"]["attachments"][-1]
    tables["url"] = "/media/tables.ods"
    content = made_up(CLS.code, "2024-25")
    world.script("govuk", r"^/media/", lambda reply: Reply(200, content, ODS))
    answer = fetch(client(world), CLS, CLS_2025)
    assert answer.file is not None
    assert answer.file.address == world.servers["govuk"].base + "/media/tables.ods"


@pytest.mark.parametrize("sent_as", [XLSX, "application/vnd.ms-excel", "application/octet-stream"])
def test_a_workbook_may_come_as_any_kind_of_workbook(world: FakePublishers, sent_as: str) -> None:
    world.script("govuk_assets", "/media/", lambda reply: Reply(200, reply.body, sent_as))
    assert fetch(client(world), CLS, CLS_2025).file is not None


def test_a_workbook_may_not_come_as_something_else(world: FakePublishers) -> None:
    world.script("govuk_assets", "/media/", say.wrong_type)
    with pytest.raises(FetchError) as caught:
        fetch(client(world), CLS, CLS_2025)
    assert caught.value.code == "wrong_content_type"


@pytest.mark.slow
def test_an_edition_split_by_topic_is_put_together(world: FakePublishers) -> None:
    edition = CES.edition("2025-26")
    one = fetch(client(world), CES, edition).file
    assert one is not None
    assert one.content == made_up(CES.code, "2025-26"), "one release: its file as it is"
    other = world.attach(made_up(CES.code, "2025-26", seed=2), "wellbeing.ods", "Data tables", ODS)
    publish_topic(world, CES, edition, "wellbeing", [other])
    publish_topic(world, CES, edition, "live-sport-and-gambling", [])
    publish_topic(world, CES, edition, "wellbeing-report", [other])
    publish_topic(world, CES, edition, "wellbeing/wellbeing-findings", [other])
    publish_topic(world, CES, edition, "quarterly-january-to-march-2026", [other])
    answer = fetch(client(world), CES, edition)
    assert answer.file is not None
    assert answer.file.file_name == "dcms_community_engagement_2025-26.zip"
    with zipfile.ZipFile(io.BytesIO(answer.file.content)) as archive:
        names = archive.namelist()
        assert len(names) == 2
        assert {archive.read(name) for name in names} == {
            made_up(CES.code, "2025-26"),
            made_up(CES.code, "2025-26", seed=2),
        }
    assert any("live-sport-and-gambling has no tables" in each for each in answer.remarks)
    cursor = answer.cursor.model_copy(update={"sha256": "0" * 64})
    assert fetch(client(world), CES, edition, cursor).file is None
    again = fetch(client(world), CES, edition).file
    assert again is not None
    assert again.content == answer.file.content


def test_an_edition_that_is_not_published_yet_is_no_fault_of_the_publisher(
    world: FakePublishers,
) -> None:
    world.search_results.clear()
    with pytest.raises(FetchError) as caught:
        fetch(client(world), CES, CES.edition("2025-26"))
    assert caught.value.code == "no_address"
    assert "hand it in" in str(caught.value)


def test_search_refuses_what_it_does_not_know(world: FakePublishers) -> None:
    world.search_results = [
        {"title": "Community Life Survey 2024/25", "link": "/government/statistics/x"}
    ]
    assert isinstance(CLS.discovery, GovUkDiscovery)
    govuk = GovUk(CLS, CLS.discovery, client(world))
    found = govuk.search({"q": "community life"})
    assert [each.page for each in found] == ["/government/statistics/x"]
    with pytest.raises(FetchError) as caught:
        govuk.search({"colour": "blue"})
    assert caught.value.code == "bad_request"


# --- Office for National Statistics --------------------------------------------------------------


@pytest.mark.slow
def test_a_lookup_is_the_same_bytes_in_any_order_and_page_size(world: FakePublishers) -> None:
    edition = LOOKUP.edition("2025")
    service = "LAD25_CAUTH25_EN_LU"
    first = fetch(client(world), LOOKUP, edition).file
    assert first is not None
    world.lookups[service].reverse()
    for row in world.lookups[service]:
        row["LAD25NM"] = f"  {row['LAD25NM']} "
        row["ObjectId"] += 1_000
    world.lookup_page_size = 10
    http = client(world)
    again = fetch(http, LOOKUP, edition).file
    assert again is not None
    assert again.content == first.content
    assert http.requests == 11
    rows = list(csv.DictReader(io.StringIO(first.content.decode())))
    assert list(rows[0]) == ["LAD25CD", "LAD25NM", "CAUTH25CD", "CAUTH25NM"]
    assert len(rows) == 106
    assert rows == sorted(rows, key=lambda row: row["LAD25CD"])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": {"code": 400, "message": "Invalid URL", "details": ["x"]}}, "json_error"),
        ({}, "unexpected_payload"),
        ({"features": [], "fields": []}, "empty_answer"),
        ({"features": [], "fields": [], "exceededTransferLimit": True}, "paging_stuck"),
        ({"features": [{"attributes": {"A": 1}}], "fields": [{"name": "A"}]}, "missing_field"),
        (
            {
                "features": [{"attributes": {"LAD25CD": "E1", "LAD24CD": "E1"}}],
                "fields": [{"name": "LAD25CD"}, {"name": "LAD24CD"}],
            },
            "ambiguous_field",
        ),
        (
            {"features": [{"attributes": {"A": 1}}], "exceededTransferLimit": True},
            "paging_stuck",
        ),
        ({"features": [{"attributes": {"A": {"b": 1}}}]}, "unexpected_payload"),
    ],
)
def test_lookups_that_cannot_be_used(world: FakePublishers, answer: Any, code: str) -> None:
    world.script("ons_geography", "LAD25", lambda reply: as_json(answer))
    with pytest.raises(FetchError) as caught:
        fetch(client(world), LOOKUP, LOOKUP.edition("2025"))
    assert caught.value.code == code


def test_an_indicator_request_names_each_parameter_once(world: FakePublishers) -> None:
    answer = fetch(client(world), ELS, ELS.edition("2023-24"))
    assert answer.file is not None
    assert answer.file.content.startswith(b"indicator,areacd,areanm,period,value,lci_95,uci_95\n")
    assert b",E12000005,West Midlands,2023-04-01/P1Y," in answer.file.content
    path, _ = world.servers["ons"].requests[0]
    assert path.count("indicator=") == 1
    assert "engaged-with-arts,visited-public-library" in path


def test_an_edition_is_asked_for_by_its_year_where_the_service_holds_later_ones(
    world: FakePublishers,
) -> None:
    later = world.ons_data.content.replace(b"2023-04-01/P1Y", b"2025-04-01/P1Y")
    world.ons_data = Asset(world.ons_data.content + later.split(b"\n", 1)[1], "text/csv")
    answer = fetch(client(world), ELS, ELS.edition("2023-24"))
    assert answer.file is not None
    assert b"2023-04-01/P1Y" in answer.file.content
    assert b"2025-04-01/P1Y" not in answer.file.content


LOCAL = catalogue().dataset("ons_local_indicators")


def publish_local(world: FakePublishers, *rows: str) -> None:
    header = "areacd,areanm,geography,indicator,period,observation,measure,unit,lci_95,uci_95"
    world.ons_data = Asset("\n".join([header, *rows, ""]).encode(), "text/csv")


def test_one_request_gives_each_edition_the_rows_of_its_year(world: FakePublishers) -> None:
    publish_local(
        world,
        "E92000001,England,Nation,Employment rate,2022-01-01/P1Y,75.2,Percentage,%,75.0,75.4",
        "E92000001,England,Nation,Employment rate,2023-01-01/P1Y,75.7,Percentage,%,75.5,75.9",
        "E92000001,England,Nation,museums,2023-09-30,4.5,Count,Count per 100,,",
    )
    publisher = publisher_for(LOCAL, client(world))
    assert publisher is not None
    answers = {year: publisher.fetch(LOCAL.edition(year)).file for year in ("2022", "2023")}
    lines = {year: file.content.decode().splitlines() for year, file in answers.items() if file}
    header = "indicator,areacd,areanm,period,value,lci_95,uci_95"
    assert lines["2022"] == [
        header,
        "Employment rate,E92000001,England,2022-01-01/P1Y,75.2,75.0,75.4",
    ]
    assert [line.split(",")[0] for line in lines["2023"][1:]] == ["Employment rate", "museums"]
    with pytest.raises(FetchError) as caught:
        publisher.fetch(LOCAL.edition("2024"))
    assert caught.value.code == "no_address"
    ((path, _),) = world.servers["ons"].requests
    assert "time=all" in path
    assert path.count("indicator=") == 1
    cursor = publisher.fetch(LOCAL.edition("2022")).cursor.model_copy(update={"sha256": "0" * 64})
    again = publisher_for(LOCAL, client(world))
    assert again is not None
    assert again.fetch(LOCAL.edition("2022"), cursor).file is None


@pytest.mark.slow
def test_populations_of_several_pages_are_put_together(world: FakePublishers) -> None:
    edition = POPULATION.edition("mid-2023")
    lines = [f"E{number:08d},Age 16,{number}" for number in range(60_001)]
    header = "GEOGRAPHY_CODE,C_AGE_NAME,OBS_VALUE"
    world.populations["2023"] = "\n".join([header, *lines]).encode()
    http = client(world, Limits())
    answer = fetch(http, POPULATION, edition)
    assert answer.file is not None
    rows = list(csv.DictReader(io.StringIO(answer.file.content.decode())))
    assert [row["OBS_VALUE"] for row in rows] == [str(number) for number in range(60_001)]
    assert http.requests == 3


def test_a_service_that_ignores_paging_is_noticed(world: FakePublishers) -> None:
    body = b"A,B\n" + b"".join(b"%d,1\n" % number for number in range(25_000))
    world.script("nomis", "date=2023", lambda reply: Reply(200, body, "text/csv"))
    with pytest.raises(FetchError) as caught:
        fetch(client(world), POPULATION, POPULATION.edition("mid-2023"))
    assert caught.value.code == "paging_stuck"


def test_the_year_of_a_population_is_in_the_answer(world: FakePublishers) -> None:
    world.populations["2023"] = b"GEOGRAPHY_CODE,C_AGE,OBS_VALUE\nE08000030,117,10\n"
    file = fetch(client(world), POPULATION, POPULATION.edition("mid-2023")).file
    assert file is not None
    assert file.content.startswith(b'"DATE_CODE",')


def test_an_edition_without_a_place_says_how_to_obtain_it(world: FakePublishers) -> None:
    http = client(world)
    with pytest.raises(FetchError) as caught:
        fetch(http, POPULATION, POPULATION.edition("mid-2020"))
    assert caught.value.code == "no_address"
    assert "nomisweb.co.uk" in str(caught.value)
    assert http.requests == 0


# --- Social Mobility Commission ------------------------------------------------------------------


def test_a_moved_file_is_followed_within_the_site(world: FakePublishers) -> None:
    edition = INDEX.edition("2025")
    assert isinstance(INDEX.discovery, SmcDiscovery)
    old = INDEX.discovery.file_path("2025")
    world.smc_files["/data" + old] = world.smc_files.pop(old)
    world.script("smc", "^" + old, say.redirect("/data" + old, 301))
    answer = fetch(client(world), INDEX, edition)
    assert answer.file is not None
    assert answer.file.content == made_up(INDEX.code, "2025")


def latest(world: FakePublishers, validators: Validators | None = None) -> LatestPage | None:
    assert isinstance(INDEX.discovery, SmcDiscovery)
    site = SocialMobilityCommission(INDEX, INDEX.discovery, client(world))
    return site.latest_page(validators)


def test_the_latest_page_shows_version_and_file(world: FakePublishers) -> None:
    page = latest(world)
    assert page is not None
    assert (page.version, page.files) == (
        "3.0",
        ("CI4-3.0-promising-prospects--full-dataset.csv",),
    )
    assert str(page.published_on) == "2025-12-18"
    assert latest(world, page.validators) is None


def test_versions_are_compared_as_numbers() -> None:
    assert max(["9.0", "10.0", "2.0"], key=_version_order) == "10.0"


def test_a_page_without_versions_is_an_error(world: FakePublishers) -> None:
    world.script("smc", "latest", say.html_page)
    with pytest.raises(FetchError) as caught:
        latest(world)
    assert caught.value.code == "unexpected_payload"


def test_links_of_other_indices_do_not_count(world: FakePublishers) -> None:
    discovery = INDEX.discovery
    assert isinstance(discovery, SmcDiscovery)
    other = smc_page(replace_index(discovery), "2025", version="99.0")
    own = world.smc_pages[discovery.latest_path()]
    world.smc_pages[discovery.latest_path()] = own + other
    page = latest(world)
    assert page is not None
    assert page.version == "3.0"


def replace_index(discovery: SmcDiscovery) -> SmcDiscovery:
    return discovery.model_copy(update={"index": "another_index"})


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "edition"),
    [pytest.param(d, e, id=f"{d.code}-{e.edition}") for d, e in fetched_editions()],
)
def test_every_edition_of_the_catalogue_can_be_fetched(
    world: FakePublishers, dataset: Dataset, edition: Edition
) -> None:
    answer = fetch(client(world), dataset, edition)
    assert answer.file is not None
    cursor = answer.cursor.model_copy(update={"sha256": "0" * 64})
    http = client(world)
    assert fetch(http, dataset, edition, cursor).file is None
    split = isinstance(dataset.discovery, GovUkDiscovery) and not edition.page
    assert http.requests == (2 if split else 1)
    assert json.loads(cursor.model_dump_json())["address"]
    publisher = publisher_for(dataset, http)
    assert publisher is not None
    assert publisher.site in http.settings.bases()


def test_a_client_asks_only_where_its_settings_say(world: FakePublishers) -> None:
    http = client(world)
    http.settings = replace(http.settings, smc="https://social-mobility.example.org")
    with pytest.raises(FetchError) as caught:
        fetch(http, INDEX, INDEX.edition("2025"))
    assert caught.value.code == "not_allowed_host"
