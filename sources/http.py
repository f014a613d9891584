"""The one HTTP client: every byte that Pulse reads from the network passes through here.

Belongs here: what makes a download safe (one deadline over all tries, size limits on the wire and
after decompression, redirects followed by hand with the allow-list checked at each hop, no cookies and
no stored passwords), one named ``FetchError`` code per fault, and ``probe``. Retries, back-off and
Retry-After are urllib3's. Does not belong here: which addresses may be asked (``sources.addresses``),
what an answer means (``sources.publishers``), whether a body is the file that was wanted.
"""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import importlib.metadata
import json
import queue
import re
import socket
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from sources.addresses import (
    DEFAULT_PORTS,
    Base,
    PublisherSettings,
    is_loopback,
    redirect_target,
    split_address,
)
from sources.errors import FetchError

CONNECTION_CODES: Final = frozenset(
    {
        *("timeout", "connect_timeout", "connection_failed", "connection_reset", "tls_failed"),
        *("name_not_resolved", "rate_limited", "server_error", "not_reached_before"),
    }
)
"""Codes that say the publisher could not be reached, as against: it answered, and not well."""

_BROKEN_OFF: Final = frozenset({"truncated", "connection_reset"})
_RETRIED_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
_KEPT_OF_OVERSIZE: Final = 1_000_000
"""How much of an oversize body is kept for the quarantined copy, in bytes."""
_NETWORK: Final = "Check the network connection."
_LATER: Final = "Try again later; until then the last good revision stays in use."


class TransferError(FetchError):
    """A fault of a transfer.

    ``content`` is what was received before or despite the fault (empty where nothing was), so that
    it can be quarantined.
    """

    def __init__(
        self, message: str, *, address: str | None = None, content: bytes = b"", **keywords: Any
    ) -> None:
        self.address = address
        self.content = content
        super().__init__(message, **keywords)


# --- what is asked and what comes back -----------------------------------------------------------


@dataclass(frozen=True)
class Expect:
    """What kind of body is wanted: how to call it, and the content types that it may carry."""

    name: str
    content_types: frozenset[str]


_UNSPECIFIC: Final = frozenset(
    {
        *("application/octet-stream", "binary/octet-stream", "application/force-download"),
        *("application/download", "application/x-download"),
    }
)
JSON: Final = Expect("JSON", frozenset({"application/json", "text/json", "text/plain"}))
CSV: Final = Expect(
    "a CSV file",
    frozenset({"text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"})
    | {"text/x-csv", "application/x-csv", "text/comma-separated-values"}
    | _UNSPECIFIC,
)
SPREADSHEET: Final = Expect(
    "a spreadsheet (ODS or XLSX)",
    # Servers call a workbook many things; whether it is one is judged by its content.
    frozenset(
        {
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.ms-excel",
            "application/zip",
        }
    )
    | _UNSPECIFIC,
)
PAGE: Final = Expect("a web page", frozenset({"text/html", "application/xhtml+xml"}))


@dataclass(frozen=True)
class Validators:
    """What a publisher gave to ask "has it changed since?"."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """The request headers of a conditional request; empty where there is nothing to go by."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True)
class Fetched:
    """An answer. ``not_modified`` means: what you have is current, ``content`` is empty."""

    address: str
    file_name: str
    content: bytes
    not_modified: bool
    content_type: str | None
    validators: Validators
    retrieved_at: datetime


def file_name_of(address: str) -> str:
    """The last part of an address, without anything that a file system or a log stumbles over."""
    last = unquote(urlsplit(address).path.rstrip("/").rsplit("/", 1)[-1])
    plain = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._() -]", "_", last))
    return plain[:150].strip(". ") or "file"


@dataclass(frozen=True)
class Limits:
    """Bounds of one fetch: seconds, tries and bytes.

    ``total_seconds`` is over all tries, waits and redirects of one ``get``; ``longest_wait_seconds``
    the longest Retry-After that is waited for.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    total_seconds: float = 180.0
    attempts: int = 4
    backoff_seconds: float = 0.5
    longest_wait_seconds: float = 60.0
    max_bytes: int = 64_000_000
    max_redirects: int = 5


class _Retries(Retry):
    """urllib3's retries, ended by the deadline of the fetch or by a Retry-After beyond the limit."""

    deadline = float("inf")
    longest_wait = float("inf")
    count: Callable[[], None] = staticmethod(lambda: None)

    def new(self, **keywords: Any) -> _Retries:
        """A copy, with what urllib3 does not know of."""
        made = super().new(**keywords)
        made.deadline, made.longest_wait = self.deadline, self.longest_wait
        made.count = self.count
        return made

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds that the publisher asks to wait; None where it does not say, or not legibly."""
        with contextlib.suppress(urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            return super().get_retry_after(response)
        return None

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> _Retries:
        """Allow another try. Raises MaxRetryError where it is not worth it."""
        wait = (self.get_retry_after(response) if response is not None else None) or 0.0
        if wait > self.longest_wait or time.monotonic() + wait >= self.deadline:
            raise urllib3.exceptions.MaxRetryError(_pool, url or "", error)
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        if response is not None:
            # urllib3 would read the rest of an error page, however long it is.
            response.close()
        self.count()
        return following


class _Session(requests.Session):
    """A session that neither follows redirects, nor keeps cookies, nor sends stored passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.auth = lambda request: request
        self.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self.adapter = HTTPAdapter()
        self.mount("https://", self.adapter)
        self.mount("http://", self.adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        # requests would read a redirect's whole body, unbounded, only to look where it leads.
        return None


@dataclass
class _Question:
    """One ``get``: what is wanted, and what all its redirects and tries share."""

    session: _Session
    expect: Expect
    validators: Validators
    limit: int
    seconds: float

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.deadline

    def fault(self, code: str, message: str, todo: str = _LATER, **more: Any) -> TransferError:
        """A fault of this question."""
        return TransferError(message, code=code, todo=todo, **more)

    def too_slow(self, address: str) -> TransferError:
        """It took longer than it may."""
        return self.fault("timeout", f"{address} did not answer in full within {self.seconds:g} s.")


class _Gunzip:
    """Unpacks gzip in bounded pieces, and knows whether its end was reached, which urllib3 does not."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(31)

    @property
    def is_whole(self) -> bool:
        return self._member.eof

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """What the next bytes unpack to. Raises urllib3's DecodeError."""
        try:
            while packed:
                if self._member.eof:
                    self._member = zlib.decompressobj(31)
                yield self._member.decompress(packed, 65_536)
                packed = self._member.unconsumed_tail or self._member.unused_data
        except zlib.error as error:
            raise urllib3.exceptions.DecodeError(str(error)) from error


class HttpClient:
    """Fetches from the publishers, and from nobody else. Not for use by several threads at once."""

    def __init__(
        self, settings: PublisherSettings | None = None, limits: Limits | None = None
    ) -> None:
        self.settings = settings or PublisherSettings()
        self.limits = limits or Limits()
        self.requests = 0
        """How many HTTP requests were made so far, redirects and repeated tries included."""
        self._allow_list = self.settings.allow_list()
        self._session = _Session()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(
        self,
        address: str,
        *,
        expect: Expect,
        validators: Validators | None = None,
        max_bytes: int | None = None,
    ) -> Fetched:
        """Fetch an address; a body that breaks off is asked for once more.

        Raises FetchError ``bad_address`` or ``not_allowed_host``, and TransferError: a code of
        ``_CONNECTION_FAULTS`` or ``_STATUS_ERRORS``, ``server_error``, ``client_error``,
        ``unexpected_status``, ``redirect_loop``, ``too_many_redirects``, ``bad_redirect``,
        ``too_large``, ``bad_encoding``, ``html_instead_of_file``, ``json_error``,
        ``wrong_content_type``, ``request_failed``.
        """
        asked = _Question(
            self._session,
            expect,
            validators or Validators(),
            max_bytes or self.limits.max_bytes,
            self.limits.total_seconds,
        )
        result: queue.Queue[Fetched | BaseException] = queue.Queue(1)

        def work() -> None:
            try:
                try:
                    result.put(self._follow(address, asked))
                except TransferError as error:
                    if error.code not in _BROKEN_OFF or self.limits.attempts < 2 or asked.is_over:
                        raise
                    result.put(self._follow(address, asked))
            except BaseException as error:
                result.put(error)

        # A thread, because neither looking up a name nor a header sent letter by letter heeds the
        # time-outs of a socket. One that overstays is left behind and its connection dropped.
        threading.Thread(target=work, name="pulse-fetch", daemon=True).start()
        try:
            outcome = result.get(timeout=self.limits.total_seconds)
        except queue.Empty:
            self._session = _Session()
            outcome = asked.too_slow(address)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def get_json(
        self, address: str, *, validators: Validators | None = None
    ) -> tuple[Any, Fetched]:
        """Fetch JSON. ``(None, fetched)`` where the publisher says "not modified".

        Raises as ``get``, and TransferError ``json_error`` where the body is not JSON.
        """
        fetched = self.get(address, expect=JSON, validators=validators)
        if fetched.not_modified:
            return None, fetched
        try:
            payload = json.loads(fetched.content)
            # Half of a surrogate pair, spelt out, could not be written anywhere.
            json.dumps(payload, ensure_ascii=False).encode()
            return payload, fetched
        except (ValueError, RecursionError) as error:
            raise TransferError(
                f"{fetched.address} was expected to be JSON and cannot be read as such ({error}).",
                code="json_error",
                address=fetched.address,
                content=fetched.content,
                expected="JSON",
                found=_start_of(fetched.content),
                todo="Open the address in a browser; if the publisher is in order, try again later.",
            ) from error

    # -- one question --

    def _follow(self, address: str, asked: _Question) -> Fetched:
        """Ask, and follow redirects within the allow-list."""
        seen = [self._allowed(address, asked)]
        while True:
            response, content = self._exchange(seen[-1], asked)
            if response.status_code not in _REDIRECT_STATUSES:
                return _judge(seen[-1], response, content, asked)
            location = response.headers.get("Location", "")
            todo = "Open the page in a browser and correct the address in the catalogue."
            if not location:
                message = f"{seen[0]} redirects without an address to go to."
                raise asked.fault("bad_redirect", message, todo)
            target = redirect_target(seen[-1], location)
            target = self._allowed(target, asked, came_from=seen[-1])
            if target in seen:
                message = f"{seen[0]} redirects in a circle, by way of {target}."
                raise asked.fault("redirect_loop", message, todo)
            if len(seen) > self.limits.max_redirects:
                message = f"{seen[0]} redirects more than {self.limits.max_redirects} times."
                raise asked.fault("too_many_redirects", message, todo)
            seen.append(target)

    def _allowed(self, address: str, asked: _Question, *, came_from: str | None = None) -> str:
        try:
            return self._allow_list.check(address)
        except FetchError as error:
            via = f"{came_from} redirects elsewhere. " if came_from else ""
            raise asked.fault(
                error.code,
                via + error.message,
                "If the publisher has moved, check the new address, then set its base address.",
                expected="an address of the publisher",
                found=address[:200],
            ) from error

    def _count(self) -> None:
        self.requests += 1

    def _exchange(self, address: str, asked: _Question) -> tuple[requests.Response, bytes]:
        """One answer and its body; urllib3 tries again until the answer begins."""
        retries = _Retries(
            total=self.limits.attempts - 1,
            other=0,
            allowed_methods={"GET"},
            status_forcelist=_RETRIED_STATUSES,
            backoff_factor=self.limits.backoff_seconds,
            backoff_jitter=self.limits.backoff_seconds,
            raise_on_status=False,
        )
        retries.deadline, retries.longest_wait = asked.deadline, self.limits.longest_wait_seconds
        retries.count = self._count
        session = asked.session
        session.adapter.max_retries = retries
        # Proxies and certificate bundles set for this computer hold for the internet only.
        session.trust_env = not is_loopback(split_address(address)[1])
        self._count()
        before = self.requests
        body = bytearray()
        try:
            with contextlib.closing(
                session.get(
                    address,
                    headers={
                        "User-Agent": _user_agent(),
                        "Accept-Encoding": "gzip",
                        "Accept": "*/*",
                        **asked.validators.headers(),
                    },
                    stream=True,
                    allow_redirects=False,
                    timeout=(self.limits.connect_seconds, self.limits.read_seconds),
                )
            ) as response:
                if response.status_code not in {*_REDIRECT_STATUSES, 304}:
                    self._read(response, body, address, asked)
                return response, bytes(body)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
        ) as error:
            causes = list(_causes(error))
            _, code, text, todo = next(
                fault
                for fault in _CONNECTION_FAULTS
                if any(isinstance(each, fault[0]) for each in causes)
            )
            tries = 1 + self.requests - before
            raise asked.fault(
                code,
                f"{address} {text}{f' (tried {tries} times)' if tries > 1 else ''}.",
                todo,
                address=address,
                content=bytes(body),
                found=f"{len(body):,} bytes" if code in _BROKEN_OFF else str(error)[:200],
            ) from error

    def _read(
        self, response: requests.Response, body: bytearray, address: str, asked: _Question
    ) -> None:
        """Read a body into ``body``, unpacked in bounded steps: a gzip bomb is met, not unpacked."""
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise urllib3.exceptions.DecodeError(f"it is encoded as {encoding[:40]!r}")
        announced = response.headers.get("Content-Length", "")
        too_large = announced.isdecimal() and int(announced[:18]) > asked.limit
        unpack = _Gunzip() if "gzip" in encoding else None
        # One piece is one read of the socket, so that a body that drips in meets the deadline.
        while not too_large and (part := response.raw.read1(65_536, decode_content=False)):
            for piece in unpack.pieces(part) if unpack else (part,):
                body += piece
                too_large = len(body) > asked.limit
                if too_large:
                    break
            if asked.is_over:
                raise asked.too_slow(address)
        if unpack and not too_large and not unpack.is_whole:
            raise http.client.IncompleteRead(bytes(body))
        if too_large:
            raise asked.fault(
                "too_large",
                f"{address} is larger than the {asked.limit:,} bytes that are accepted; the download "
                "was stopped.",
                "Open the address in a browser and check what is published there.",
                address=address,
                content=bytes(body[:_KEPT_OF_OVERSIZE]),
                expected=f"at most {asked.limit:,} bytes",
                found=f"{announced or 'more'} bytes",
            )


def _judge(address: str, response: requests.Response, content: bytes, asked: _Question) -> Fetched:
    """What an answer is. Raises TransferError for anything but what was asked for."""
    status, headers, expect = response.status_code, response.headers, asked.expect
    content_type = (headers.get("Content-Type") or "").split(";", 1)[0].strip().lower() or None
    start = _start_of(content)
    is_page = _looks_like_html(content)
    kept = content
    if (status == 304 and asked.validators.headers()) or (
        status == 200
        and (expect is PAGE or not is_page)
        and (content_type is None or content_type in expect.content_types)
    ):
        return Fetched(
            address,
            file_name_of(address),
            content,
            status == 304,
            content_type,
            Validators(headers.get("ETag"), headers.get("Last-Modified")),
            datetime.now(UTC),
        )
    expected, found = expect.name, start
    if status != 200:
        code, text, todo = _STATUS_ERRORS.get(
            status, next(fault for least, fault in _STATUS_CLASSES if status >= least)
        )
        text, expected, found = f"{text} ({status})", "200", f"{status}: {start}".rstrip(": ")
        kept = b"" if code in CONNECTION_CODES else content
    elif is_page and expect is not PAGE:
        code, text = "html_instead_of_file", f"is a web page, not {expect.name}"
        todo = "Open it in a browser: it is usually a notice of maintenance or of a moved page."
    else:
        is_json = (content_type or "").endswith("json")
        code = "json_error" if is_json else "wrong_content_type"
        text = f"was sent as {content_type}, not as {expect.name}"
        todo = "Open the address in a browser and read what the publisher says."
    message = f"{address} {text}."
    known = {"address": address, "content": kept, "expected": expected, "found": found}
    raise asked.fault(code, message, todo, **known)


_SETTINGS: Final = "Compare the catalogue's discovery settings with the publisher's documentation."
_STATUS_ERRORS: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("bad_request", "did not understand the request", _SETTINGS),
    401: ("forbidden", "asks for a password", "Open the address in a browser."),
    403: ("forbidden", "does not let Pulse in", "Open the address in a browser."),
    404: (
        "not_found",
        "does not exist",
        "Open the publisher's landing page, find where the file is now, and correct the catalogue.",
    ),
    408: ("timeout", "did not wait for the request", _LATER),
    410: (
        "gone",
        "was removed by its publisher",
        "Read the publisher's landing page: the release was withdrawn or replaced.",
    ),
    422: ("bad_request", "refused a parameter of the request", _SETTINGS),
    429: ("rate_limited", "asks for fewer requests", _LATER),
}

_STATUS_CLASSES: Final = (
    (500, ("server_error", "answered with an error of its own", _LATER)),
    (400, ("client_error", "refused the request", "Report this.")),
    (0, ("unexpected_status", "gave an unexpected answer", f"Open it in a browser. {_LATER}")),
)

_CONNECTION_FAULTS: Final[tuple[tuple[tuple[type[BaseException], ...], str, str, str], ...]] = (
    (
        (http.client.IncompleteRead,),
        *("truncated", "broke off: the body is shorter than announced", _LATER),
    ),
    (
        (urllib3.exceptions.DecodeError,),
        *("bad_encoding", "sent a body that cannot be unpacked", _LATER),
    ),
    (
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        *("tls_failed", "has no certificate that is trusted here"),
        "Check the clock and the certificates of this computer and its proxy.",
    ),
    (
        (urllib3.exceptions.NameResolutionError, socket.gaierror),
        *("name_not_resolved", "is on a host that cannot be found", _NETWORK),
    ),
    # Before the time-outs: urllib3 counts a refused connection among them.
    (
        (urllib3.exceptions.NewConnectionError, ConnectionRefusedError),
        *("connection_failed", "could not be connected to", _NETWORK),
    ),
    (
        (requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError),
        *("connect_timeout", "could not be connected to in time", _LATER),
    ),
    (
        (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
        *("timeout", "did not answer in time", _LATER),
    ),
    (
        (requests.ConnectionError, urllib3.exceptions.ProtocolError, OSError),
        *("connection_reset", "broke off the connection", _LATER),
    ),
    ((Exception,), "request_failed", "could not be asked", "Report this."),
)
"""What an exception means, the first that fits: code, text, what to do."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all it wraps, through causes, contexts, arguments and ``reason``."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            pending += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def _user_agent() -> str:
    """How Pulse names itself to publishers: project and version."""
    try:
        version = importlib.metadata.version("pulse-barometers")
    except importlib.metadata.PackageNotFoundError:
        version = "unreleased"
    return f"Pulse-barometers/{version} (reads published statistics; python-requests)"


def _looks_like_html(content: bytes) -> bool:
    """Whether a body begins like a web page, whatever its content type says."""
    start = content[:1_024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _start_of(content: bytes) -> str:
    return " ".join(content[:400].decode("utf-8", errors="replace").split())[:160]


# --- can they be reached at all? -----------------------------------------------------------------


@dataclass(frozen=True)
class Reachability:
    """Which publishers can be connected to, as found by ``probe``; updated as a run learns more."""

    reached: dict[str, bool]

    def line(self) -> str:
        """One line for the run's record."""
        absent = sorted(name for name, reached in self.reached.items() if not reached)
        if not absent:
            return f"All {len(self.reached)} publisher addresses can be reached."
        used = "the files already held are used, else the bundled figures."
        if len(absent) == len(self.reached):
            return f"No publisher can be reached from here: {used}"
        return f"Cannot be reached from here: {', '.join(absent)}; for these, {used}"


def probe(
    settings: PublisherSettings,
    *,
    seconds: float = 2.0,
    connect: Callable[[str, float], None] | None = None,
) -> Reachability:
    """Try to connect to each publisher, all at once, in at most ``seconds`` in total.

    No request is made: a connection is opened (to the proxy, where one is set) and closed.
    """
    bases = settings.bases()
    answers = {name: threading.Event() for name in bases}

    def work(name: str, address: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            (connect or _connect)(address, seconds)
            answers[name].set()

    threads = [
        threading.Thread(target=work, args=(name, base.address), daemon=True)
        for name, base in bases.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return Reachability({name: reached.is_set() for name, reached in answers.items()})


def _connect(address: str, seconds: float) -> None:
    """Open and close a connection to the host of an address, or to the proxy in front of it."""
    base = Base.read(address)
    host, port = base.host.strip("[]"), base.port
    if not is_loopback(base.host):
        proxy = requests.utils.select_proxy(address, urllib.request.getproxies())
        if proxy and not requests.utils.should_bypass_proxies(address, no_proxy=None):
            parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            host, port = parts.hostname or host, parts.port or DEFAULT_PORTS["http"]
    socket.create_connection((host, port), timeout=seconds).close()
