"""The HTTP client against real servers that misbehave in every way a publisher has."""

from __future__ import annotations

import gzip
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sources.addresses import PublisherSettings
from sources.errors import FetchError, about
from sources.http import (
    CSV,
    JSON,
    SPREADSHEET,
    HttpClient,
    TransferError,
    Validators,
    file_name_of,
    probe,
)
from tests.publishers import servers as say
from tests.publishers.servers import Asset, FakePublishers, Reply
from tests.publishers.world import IMPATIENT

BODY = b"area,value\n" + b"Birmingham,1\n" * 500


@pytest.fixture
def shop(running: FakePublishers) -> Iterator[FakePublishers]:
    running.clear()
    running.smc_files["/file.csv"] = Asset(BODY, "text/csv; charset=utf-8")
    running.smc_files["/book.ods"] = Asset(b"PK\x03\x04rest", say.ODS)
    yield running
    running.heal()


def fetch(shop: FakePublishers, path: str = "/file.csv", **keywords: object) -> HttpClient:
    http = HttpClient(shop.settings, IMPATIENT)
    http.fetched = http.get(  # type: ignore[attr-defined]
        shop.settings.address("smc", path), expect=CSV, **keywords
    )
    return http


def refused(shop: FakePublishers, fault: say.Fault, path: str = "/file.csv") -> TransferError:
    shop.script("smc", re.escape(path), fault)
    with pytest.raises(TransferError) as caught, about(dataset="d", edition="e"):
        fetch(shop, path)
    assert "d e" in str(caught.value), "the message names dataset and edition"
    return caught.value


def test_a_file_comes_whole_with_its_validators(shop: FakePublishers) -> None:
    http = fetch(shop)
    fetched = http.fetched  # type: ignore[attr-defined]
    assert fetched.content == BODY
    assert (fetched.content_type, fetched.file_name) == ("text/csv", "file.csv")
    assert fetched.validators.etag
    assert http.requests == 1


def test_the_client_names_the_project_and_its_version(shop: FakePublishers) -> None:
    fetch(shop)
    _, headers = shop.servers["smc"].requests[0]
    assert re.match(r"Pulse-barometers/\S+ ", headers["User-Agent"])
    assert "Cookie" not in headers
    assert "Authorization" not in headers


def test_an_unchanged_file_is_not_sent_again(shop: FakePublishers) -> None:
    first = fetch(shop).fetched  # type: ignore[attr-defined]
    again = fetch(shop, validators=first.validators).fetched  # type: ignore[attr-defined]
    assert again.not_modified
    assert again.content == b""
    shop.smc_files["/file.csv"] = Asset(BODY + b"Coventry,2\n", "text/csv")
    changed = fetch(shop, validators=first.validators).fetched  # type: ignore[attr-defined]
    assert not changed.not_modified
    assert changed.content.endswith(b"Coventry,2\n")


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_what_is_worth_it_is_tried_again(shop: FakePublishers, code: int) -> None:
    shop.script("smc", "file", say.status(code), times=1)
    http = fetch(shop)
    assert http.requests == len(shop.servers["smc"].requests) == 2


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (400, "bad_request"),
        (401, "forbidden"),
        (403, "forbidden"),
        (404, "not_found"),
        (410, "gone"),
        (418, "client_error"),
        (422, "bad_request"),
        (501, "server_error"),
        (204, "unexpected_status"),
    ],
)
def test_what_is_not_worth_it_is_not(shop: FakePublishers, code: int, name: str) -> None:
    error = refused(shop, say.status(code))
    assert (error.code, len(shop.servers["smc"].requests)) == (name, 1)
    assert error.todo


def test_a_server_that_stays_down_is_given_up(shop: FakePublishers) -> None:
    assert refused(shop, say.status(503)).code == "server_error"
    assert len(shop.servers["smc"].requests) == 2


def test_waiting_grows_and_heeds_what_the_publisher_asks(
    shop: FakePublishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waits.append)
    limits = replace(IMPATIENT, attempts=5, backoff_seconds=1.0, total_seconds=100.0)
    http = HttpClient(shop.settings, limits)
    shop.script("smc", "file", say.status(503), times=2)
    shop.script("smc", "file", say.status(503, Retry_After="not a date"), times=1)
    shop.script("smc", "file", say.status(429, Retry_After="7"), times=1)
    http.get(shop.settings.address("smc", "/file.csv"), expect=CSV)
    assert waits[0] == 7.0
    assert 2.0 <= waits[1] <= 3.0
    assert 4.0 <= waits[2] <= 5.0
    assert http.requests == 5


def test_a_publisher_that_asks_for_an_hour_is_left_alone(shop: FakePublishers) -> None:
    assert refused(shop, say.status(429, Retry_After="3600")).code == "rate_limited"
    assert len(shop.servers["smc"].requests) == 1


def test_no_try_begins_after_the_deadline(shop: FakePublishers) -> None:
    started = time.monotonic()
    assert refused(shop, say.status(503, Retry_After="30")).code == "server_error"
    assert time.monotonic() - started < 1.0
    assert len(shop.servers["smc"].requests) == 1


def test_the_error_page_of_a_repeated_try_is_not_read(shop: FakePublishers) -> None:
    shop.script("smc", "file", say.endless_error(503), times=1)
    assert fetch(shop).fetched.content == BODY  # type: ignore[attr-defined]


def test_silence_ends_in_a_timeout(shop: FakePublishers) -> None:
    assert refused(shop, say.say_nothing()).code == "timeout"


@pytest.mark.parametrize(
    "fault",
    [say.drip(), pytest.param(say.drip_body(), marks=pytest.mark.slow)],
    ids=["header", "body"],
)
def test_no_drip_outlasts_the_deadline(shop: FakePublishers, fault: say.Fault) -> None:
    shop.script("smc", "file", fault)
    limits = replace(IMPATIENT, total_seconds=0.6)
    http = HttpClient(shop.settings, limits)
    started = time.monotonic()
    with pytest.raises(FetchError) as caught:
        http.get(shop.settings.address("smc", "/file.csv"), expect=CSV)
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 1.5
    shop.heal()
    assert http.get(shop.settings.address("smc", "/file.csv"), expect=CSV).content == BODY


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (say.reset_midway, "connection_reset"),
        (say.truncated, "truncated"),
        (say.html_page, "html_instead_of_file"),
        (say.disguised_html, "html_instead_of_file"),
        (say.json_error, "json_error"),
        (lambda reply: Reply(304), "unexpected_status"),
        (lambda reply: Reply(200, BODY, "text/html"), "wrong_content_type"),
        (say.wrong_type, "wrong_content_type"),
        (say.oversize(4_000_000), "too_large"),
        (say.announced_oversize(4_000_000), "too_large"),
        (say.gzip_bomb(20_000_000), "too_large"),
        (say.redirect_in_circles, "redirect_loop"),
        (say.redirect("http://files.example.org/file.csv"), "not_allowed_host"),
        (say.redirect("https://www.gov.uk.example.org/file.csv"), "not_allowed_host"),
        (say.redirect("file:///etc/hostname"), "bad_address"),
        (say.redirect("http://user@127.0.0.1/"), "bad_address"),
        (say.redirect(""), "bad_redirect"),
    ],
)
def test_faults_have_names(shop: FakePublishers, fault: say.Fault, code: str) -> None:
    assert refused(shop, fault).code == code


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (say.reset_midway, BODY[: len(BODY) // 2]),
        (say.truncated, BODY[: len(BODY) // 2]),
        (say.html_page, say.HTML_PAGE),
        (say.status(404), say.HTML_PAGE),
        (say.wrong_type, BODY),
    ],
)
def test_what_was_received_is_carried_along(
    shop: FakePublishers, fault: say.Fault, kept: bytes
) -> None:
    error = refused(shop, fault)
    assert kept.startswith(error.content)
    assert error.content


def test_an_oversize_body_is_kept_in_part(shop: FakePublishers) -> None:
    assert 0 < len(refused(shop, say.oversize(4_000_000)).content) <= 1_000_000


def test_gzip_is_undone(shop: FakePublishers) -> None:
    packed = gzip.compress(BODY[:3_000]) + gzip.compress(BODY[3_000:])
    shop.script(
        "smc", "file", lambda reply: Reply(200, packed, "text/csv", {"Content-Encoding": "gzip"})
    )
    assert fetch(shop).fetched.content == BODY  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (BODY, "gzip", "bad_encoding"),
        (BODY, "br", "bad_encoding"),
        (gzip.compress(BODY)[:-20], "gzip", "truncated"),
        (gzip.compress(BODY)[:-8], "gzip", "truncated"),
        (gzip.compress(BODY) + BODY, "gzip", "bad_encoding"),
    ],
)
def test_a_body_that_is_not_what_its_encoding_says(
    shop: FakePublishers, body: bytes, encoding: str, code: str
) -> None:
    headers = {"Content-Encoding": encoding}
    assert refused(shop, lambda reply: Reply(200, body, "text/csv", headers)).code == code


@pytest.mark.parametrize("content_type", ["text/x-csv", "application/x-download", "TEXT/CSV"])
def test_a_file_may_come_under_any_of_its_names(shop: FakePublishers, content_type: str) -> None:
    shop.script("smc", "file", lambda reply: Reply(200, BODY, content_type))
    assert fetch(shop).fetched.content == BODY  # type: ignore[attr-defined]


def test_a_length_that_is_no_number_is_passed_over(shop: FakePublishers) -> None:
    def answer(handler: say.Handler, reply: Reply) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: ²\r\n\r\n"
        handler.wfile.write(head.encode("latin-1") + BODY)

    shop.script("smc", "file", lambda reply: Reply(misbehave=answer))
    assert fetch(shop).fetched.content == BODY  # type: ignore[attr-defined]


def test_a_redirect_within_the_publishers_is_followed(shop: FakePublishers) -> None:
    asset = shop.servers["govuk_assets"].base + "/moved/file.csv"
    shop.assets["/moved/file.csv"] = Asset(BODY, "text/csv")
    shop.script("smc", "file", say.redirect(asset, 301))
    http = fetch(shop)
    assert http.fetched.address == asset  # type: ignore[attr-defined]
    assert http.requests == 2


def test_a_long_chain_of_redirects_is_given_up(shop: FakePublishers) -> None:
    for number in range(9):
        shop.script("smc", f"/step{number}$", say.redirect(f"/step{number + 1}"))
    shop.script("smc", "file", say.redirect("/step0"))
    with pytest.raises(FetchError) as caught:
        fetch(shop)
    assert caught.value.code == "too_many_redirects"
    assert len(shop.servers["smc"].requests) == 6


@pytest.mark.slow
def test_a_redirect_with_a_body_is_not_read(shop: FakePublishers) -> None:
    """A bomb in the body of a redirect is never unpacked: only its header is looked at."""
    bomb = gzip.compress(b"0" * 60_000_000)
    headers = {"Content-Encoding": "gzip", "Location": "/book.csv"}
    shop.smc_files["/book.csv"] = Asset(BODY, "text/csv")
    shop.script("smc", "file", lambda reply: Reply(302, bomb, "text/html", headers))
    started = time.monotonic()
    assert fetch(shop).fetched.content == BODY  # type: ignore[attr-defined]
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("body", [b'{"half": ', b'{"half": "\\ud800"}'])
def test_json_that_is_none(shop: FakePublishers, body: bytes) -> None:
    shop.script("smc", "file", lambda reply: Reply(200, body, "application/json"))
    http = HttpClient(shop.settings, IMPATIENT)
    with pytest.raises(TransferError) as caught:
        http.get_json(shop.settings.address("smc", "/file.csv"))
    assert caught.value.code == "json_error"
    assert caught.value.content == body


def test_deep_json_is_an_error_and_no_crash(shop: FakePublishers) -> None:
    deep = b"[" * 200_000
    shop.script("smc", "file", lambda reply: Reply(200, deep, "application/json"))
    http = HttpClient(shop.settings, IMPATIENT)
    with pytest.raises(TransferError) as caught:
        http.get_json(shop.settings.address("smc", "/file.csv"))
    assert caught.value.code == "json_error"


def test_a_spreadsheet_may_not_come_as_csv(shop: FakePublishers) -> None:
    http = HttpClient(shop.settings, IMPATIENT)
    with pytest.raises(FetchError) as caught:
        http.get(shop.settings.address("smc", "/file.csv"), expect=SPREADSHEET)
    assert caught.value.code == "wrong_content_type"
    http.get(shop.settings.address("smc", "/book.ods"), expect=SPREADSHEET)


def test_a_refused_connection_has_a_name(shop: FakePublishers) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings = replace(shop.settings, smc=f"http://127.0.0.1:{taken.getsockname()[1]}")
    http = HttpClient(settings, IMPATIENT)
    with pytest.raises(FetchError) as caught:
        http.get(settings.address("smc", "/file.csv"), expect=CSV)
    assert caught.value.code == "connection_failed"
    assert http.requests == 2


def test_nobody_else_is_asked(shop: FakePublishers) -> None:
    http = HttpClient(shop.settings, IMPATIENT)
    for address in ("https://example.org/file.csv", "http://www.gov.uk/", "http://127.0.0.1:1/"):
        with pytest.raises(FetchError) as caught:
            http.get(address, expect=CSV)
        assert caught.value.code == "not_allowed_host"
    assert http.requests == 0


def test_stored_passwords_and_proxies_stay_at_home(
    shop: FakePublishers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / "netrc"
    secrets.write_text("machine 127.0.0.1 login someone password secret\n")
    secrets.chmod(0o600)
    monkeypatch.setitem(os.environ, "NETRC", str(secrets))
    monkeypatch.setitem(os.environ, "HTTP_PROXY", "http://127.0.0.1:9")
    fetch(shop)
    assert "Authorization" not in shop.servers["smc"].requests[0][1]


# --- settings and probe --------------------------------------------------------------------------


def test_settings_come_from_a_mapping_that_is_given() -> None:
    settings = PublisherSettings.from_env(
        {"PULSE_SMC_BASE": " http://127.0.0.1:8080/site/ ", "PULSE_GOVUK_BASE": "", "HOME": "/"}
    )
    assert settings.smc == "http://127.0.0.1:8080/site/"
    assert settings.govuk == PublisherSettings().govuk
    assert settings.address("smc", "/a.csv") == "http://127.0.0.1:8080/site/a.csv"


@pytest.mark.parametrize(
    "address", ["http://www.gov.uk", "ftp://127.0.0.1", "www.gov.uk", "https://www.gov.uk?a=1"]
)
def test_a_base_is_https_or_this_computer(address: str) -> None:
    with pytest.raises(FetchError) as caught:
        PublisherSettings.from_env({"PULSE_GOVUK_BASE": address})
    assert caught.value.code == "bad_address"


def test_a_public_address_moves_to_the_configured_base() -> None:
    settings = PublisherSettings(ons_geography="http://127.0.0.1:1", smc="http://127.0.0.1:2")
    public = PublisherSettings()
    path = "/ESMARspQHYMw9BZ9/arcgis/rest/services/X/FeatureServer/0/query"
    assert public.address("ons_geography", path) == "https://services1.arcgis.com" + path
    assert settings.address("ons_geography", path).startswith("http://127.0.0.1:1/arcgis/rest/")
    assert settings.address("smc", public.smc + "/a") == "http://127.0.0.1:2/a"
    assert settings.address("smc", "https://example.org/a") == "https://example.org/a"


def test_only_one_organisation_of_the_lookup_service_may_be_asked() -> None:
    allow = PublisherSettings().allow_list()
    allow.check("https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services")
    for address in (
        "https://services1.arcgis.com/OTHER/arcgis/rest/services",
        "https://services1.arcgis.com/ESMARspQHYMw9BZ9x/arcgis",
        "https://services1.arcgis.com/ESMARspQHYMw9BZ9/../OTHER",
        "https://services1.arcgis.com/ESMARspQHYMw9BZ9/%2e%2e/OTHER",
    ):
        with pytest.raises(FetchError):
            allow.check(address)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.uk/media/1/Table%20of%20%2e%2e%2fx.ods", "Table of ._x.ods"),
        ("https://a.uk/", "file"),
        ("https://a.uk/a/b.csv?x=1", "b.csv"),
        ("https://a.uk/.hidden", "hidden"),
    ],
)
def test_file_names_are_plain(address: str, name: str) -> None:
    assert file_name_of(address) == name


def test_the_probe_costs_no_request(shop: FakePublishers) -> None:
    found = probe(shop.settings, seconds=1.0)
    assert all(found.reached.values())
    assert found.line() == "All 6 publisher addresses can be reached."
    assert not shop.asked()


@pytest.mark.parametrize("absent", ["all", "one"])
def test_an_absent_network_costs_little_and_is_reported_in_one_line(absent: str) -> None:
    def connect(address: str, seconds: float) -> None:
        if absent == "all" or "nomis" in address:
            time.sleep(30)

    started = time.monotonic()
    found = probe(PublisherSettings(), seconds=0.3, connect=connect)
    assert time.monotonic() - started < 1.0
    line = found.line()
    assert "\n" not in line
    if absent == "all":
        assert line.startswith("No publisher can be reached")
    else:
        assert line.startswith("Cannot be reached from here: nomis;")


def test_validators_make_headers() -> None:
    assert Validators().headers() == {}
    assert Validators('"x"', "Mon, 01 Jan 2024 00:00:00 GMT").headers() == {
        "If-None-Match": '"x"',
        "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT",
    }


def test_json_is_expected_with_its_types() -> None:
    expected: Callable[[str], bool] = JSON.content_types.__contains__
    assert expected("application/json")
    assert not expected("text/html")
