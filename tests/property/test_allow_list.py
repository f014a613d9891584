"""No spelling of an address gets past the allow-list to another host."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
import urllib3.util
from hypothesis import example, given
from hypothesis import strategies as st

from sources.addresses import AllowList, Base, PublisherSettings, is_loopback, redirect_target
from sources.errors import FetchError

PUBLIC = PublisherSettings()
ALLOW = PUBLIC.allow_list()
HOSTS = {base.host for base in ALLOW.bases}
LOCAL = AllowList([Base.read("http://127.0.0.1:8080/site"), Base.read("https://www.gov.uk")])

hosts = st.sampled_from(sorted(HOSTS))
evil = st.sampled_from(
    [
        "example.org",
        "www.gov.uk.example.org",
        "example.org.",
        "127.0.0.1",
        "[::1]",
        "0x7f000001",
        "2130706433",
        "169.254.169.254",
        "xn--www-gov-uk.example",
        "wwwㆍgov.uk",
        "ＷＷＷ.gov.uk",
        "www.gov。uk",
        "www.gov.uk%2eexample.org",
        "www.gov.uk%00.example.org",
        "localhost",
    ]
)
glue = st.sampled_from(
    ["", "@", ":@", ":80@", "%40", "\\", "\\@", "/", "//", "#", "#@", "?", "?@", ":", ":443", ":80",
     ":0443", ":99999", ".", "..", "%2f", "%5c", "\t", "\n", "\r", " ", "\x00", ";", "&", "[", "]"]
)  # fmt: skip
schemes = st.sampled_from(
    ["https://", "http://", "HTTPS://", "https:/", "https:", "//", "https:\\\\", "https:///",
     "ftp://", "file://", "javascript://", "data:", "gopher://", " https://", "https ://"]
)  # fmt: skip
tails = st.text(st.sampled_from("abc./\\?#@:%25e[]~ \t\né\u2044\uff0f\u202e0"), max_size=25)
built = st.lists(st.one_of(hosts, evil, glue, tails), min_size=1, max_size=6).map("".join)


def checked(address: str) -> str | None:
    """The canonical address, None where it is refused by one of the two names."""
    try:
        return ALLOW.check(address)
    except FetchError as error:
        if error.code not in {"bad_address", "not_allowed_host"}:
            raise
        return None


def lands_on(address: str) -> tuple[str, str, int | None]:
    """Where the library that makes the request would go, read with its own reader."""
    prepared = requests.Request("GET", address).prepare().url
    assert prepared is not None
    parsed = urllib3.util.parse_url(prepared)
    return parsed.scheme or "", parsed.host or "", parsed.port


@given(st.builds(str.__add__, schemes, built))
@example("https://www.gov.uk@example.org/")
@example("https://www.gov.uk:443@example.org/")
@example("https://example.org\\@www.gov.uk/")
@example("https://www.gov.uk\\.example.org/")
@example("https://www.gov.uk#@example.org/")
@example("https://www.gov.uk?@example.org/")
@example("https://www.gov.uk./")
@example("https://WWW.GOV.UK/a")
@example("https://www.gov.uk:443/a")
@example("https://www.gov.uk:0443/a")
@example("https://www.gov.uk:8443/a")
@example("https://ｗｗｗ.gov.uk/")
@example("https://www。gov。uk/")
@example("https://services1.arcgis.com/ESMARspQHYMw9BZ9/..;/x")
def test_an_address_is_refused_or_goes_to_a_publisher(address: str) -> None:
    canonical = checked(address)
    if canonical is None:
        return
    scheme, host, port = lands_on(canonical)
    assert scheme == "https"
    assert host in HOSTS
    assert port in (None, 443)
    assert urlsplit(canonical).hostname == host, "two readers agree"
    assert ALLOW.check(canonical) == canonical, "the canonical spelling stays what it is"
    for base in ALLOW.bases:
        if base.host == host and base.folder:
            final = urllib3.util.parse_url(requests.Request("GET", canonical).prepare().url or "")
            assert (final.path or "").startswith(base.folder)


@given(st.text(max_size=80))
def test_any_text_is_refused_or_canonical(address: str) -> None:
    canonical = checked(address)
    assert canonical is None or lands_on(canonical)[1] in HOSTS


@given(st.builds(str.__add__, st.one_of(schemes, st.just("")), built))
@example("//example.org/x")
@example("/\\example.org/x")
@example("\\\\example.org\\x")
@example("https:example.org")
@example("https://[")
@example("///example.org")
def test_a_redirect_stays_with_the_publishers(location: str) -> None:
    try:
        target = ALLOW.check(redirect_target("https://www.gov.uk/start/page", location))
    except FetchError:
        return
    assert lands_on(target)[1] in HOSTS


@given(
    st.sampled_from(
        ["127.0.0.1", "localhost", "127.1", "127.0.0.2", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"]
    ),
    st.sampled_from(["", ":80", ":8080", ":8081", ":08080"]),
    st.sampled_from(["", "/", "/site", "/site/a", "/sitea", "/site/../b", "/site%2f..%2fb"]),
)
def test_plain_http_reaches_the_one_configured_place(host: str, port: str, path: str) -> None:
    address = f"http://{host}{port}{path}"
    try:
        LOCAL.check(address)
    except FetchError:
        return
    assert host == "127.0.0.1"
    assert int(port[1:]) == 8080
    assert path in {"/site", "/site/a"}


@given(hosts, st.sampled_from(["https://", "HTTPS://"]), st.sampled_from(["", ":443", ":0443"]))
def test_case_and_the_usual_port_make_no_difference(host: str, scheme: str, port: str) -> None:
    folder = next(base.folder for base in ALLOW.bases if base.host == host)
    spelled = f"{scheme}{host.upper()}{port}{folder}/a"
    assert ALLOW.check(spelled) == f"https://{host}{folder}/a"


@given(st.text(max_size=40))
def test_a_base_is_read_or_refused(address: str) -> None:
    try:
        base = Base.read(address)
    except FetchError as error:
        if error.code != "bad_address":
            raise
    else:
        assert base.scheme == "https" or is_loopback(base.host)


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org", "10.0.0.1", "0.0.0.0"])
def test_only_this_computer_may_be_asked_in_plain_http(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(FetchError):
        Base.read(f"http://{host}/")
