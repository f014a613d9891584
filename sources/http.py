"""The one HTTP client: every byte that Pulse reads from the network passes through here.

Belongs here: ``HttpClient`` with what makes a download safe (time-outs and one deadline over all
tries, retries of what is worth retrying, conditional requests, size limits on the wire and after
decompression, redirects followed by hand with the allow-list checked at each hop), one named
``FetchError`` code a fault, and ``probe``, which tells quickly what can be reached at all. Does not
belong here: which addresses may be asked (``sources.addresses``), what an answer means
(``sources.publishers``), whether a body is the file that was wanted (``sources.content_check``).
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import http.cookiejar
import importlib.metadata
import json
import queue
import random
import re
import socket
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

import requests
import urllib3.exceptions

from sources.addresses import (
    DEFAULT_PORTS,
    Base,
    PublisherSettings,
    is_loopback,
    redirect_target,
    split_address,
)
from sources.errors import FetchError

T = TypeVar("T")

CONNECTION_CODES: Final = frozenset(
    {
        "timeout",
        "connect_timeout",
        "connection_failed",
        "connection_reset",
        "name_not_resolved",
        "tls_failed",
        "rate_limited",
        "server_error",
        "not_reached_before",
    }
)
"""Codes that say the publisher could not be reached, as against: it answered, and not well."""

RETRIED_CODES: Final = frozenset(
    {
        "timeout",
        "connect_timeout",
        "connection_failed",
        "connection_reset",
        "name_not_resolved",
        "truncated",
        "rate_limited",
        "server_error",
    }
)
RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
KEPT_OF_OVERSIZE: Final = 1_000_000
"""How much of an oversize body is kept for the quarantined copy, in bytes."""


class TransferError(FetchError):
    """A fault of a transfer.

    ``content`` is what was received before or despite the fault (empty where nothing was), so that
    it can be quarantined; ``status`` the HTTP status where there was an answer; ``attempts`` how
    often it was tried.
    """

    def __init__(
        self,
        message: str,
        *,
        address: str | None = None,
        content: bytes = b"",
        content_type: str | None = None,
        status: int | None = None,
        retry_after: str | None = None,
        **keywords: Any,
    ) -> None:
        self.address = address
        self.content = content
        self.content_type = content_type
        self.status = status
        self.retry_after = retry_after
        self.attempts = 1
        super().__init__(message, **keywords)

    def after(self, attempts: int) -> TransferError:
        """The same fault, saying how often it was tried."""
        self.attempts = attempts
        if attempts > 1:
            self.message = f"{self.message.rstrip('.')} (tried {attempts} times)"
            self.args = (self.render(),)
        return self


def user_agent() -> str:
    """How Pulse names itself to publishers: project and version."""
    try:
        version = importlib.metadata.version("pulse-barometers")
    except importlib.metadata.PackageNotFoundError:
        version = "unreleased"
    return f"Pulse-barometers/{version} (reads published statistics; python-requests)"


# --- what is asked and what comes back -----------------------------------------------------------


@dataclass(frozen=True)
class Expect:
    """What kind of body is wanted: how to call it, and the content types that it may carry."""

    name: str
    content_types: frozenset[str]


_UNSPECIFIC: Final = frozenset({"application/octet-stream", "binary/octet-stream"})
JSON: Final = Expect("JSON", frozenset({"application/json", "text/json", "text/plain"}))
CSV: Final = Expect(
    "a CSV file",
    frozenset({"text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"})
    | _UNSPECIFIC,
)
SPREADSHEET: Final = Expect(
    "a spreadsheet (ODS or XLSX)",
    frozenset(
        {
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
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
        asked: dict[str, str] = {}
        if self.etag:
            asked["If-None-Match"] = self.etag
        if self.last_modified:
            asked["If-Modified-Since"] = self.last_modified
        return asked


@dataclass(frozen=True)
class Fetched:
    """An answer. ``not_modified`` means: what you have is current, ``content`` is empty."""

    address: str
    content: bytes
    not_modified: bool
    content_type: str | None
    validators: Validators
    retrieved_at: datetime

    @property
    def file_name(self) -> str:
        """The last part of the address, as a plain file name."""
        return file_name_of(self.address)


def file_name_of(address: str) -> str:
    """The last part of an address, without anything that a file system or a log stumbles over."""
    last = unquote(urlsplit(address).path.rstrip("/").rsplit("/", 1)[-1])
    plain = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._() -]", "_", last))
    return plain[:150].strip(". ") or "file"


@dataclass(frozen=True)
class Limits:
    """Bounds of one fetch: seconds, tries and bytes.

    ``total_seconds`` is over all tries, waits and redirects of one ``get``.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    total_seconds: float = 180.0
    attempts: int = 4
    backoff_seconds: float = 0.5
    backoff_cap_seconds: float = 20.0
    longest_wait_seconds: float = 60.0
    max_bytes: int = 64_000_000
    max_redirects: int = 5


@dataclass(frozen=True)
class RequestRecord:
    """One request that was made, for the run's record."""

    method: str
    address: str
    outcome: str
    received: int


@dataclass
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes = b""


class _PlainSession(requests.Session):
    """A session that neither follows redirects, nor keeps cookies, nor sends stored passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.auth = lambda request: request
        self.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        # requests would read a redirect's whole body, unbounded, only to look where it leads.
        return None


class HttpClient:
    """Fetches from the publishers, and from nobody else.

    Not for concurrent use by several threads; ``log`` has a record a request, ``requests`` counts
    them. ``sleep``, ``monotonic``, ``now`` and ``jitter`` can be given by tests.
    """

    def __init__(
        self,
        settings: PublisherSettings | None = None,
        limits: Limits | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings or PublisherSettings()
        self.limits = limits or Limits()
        self.allow_list = self.settings.allow_list()
        self.log: list[RequestRecord] = []
        self.now = now
        self._sleep = sleep
        self._monotonic = monotonic
        self._jitter = jitter
        self._user_agent = user_agent()
        self._sessions: dict[bool, _PlainSession] = {}

    @property
    def requests(self) -> int:
        """How many HTTP requests were made so far, redirects and repeated tries included."""
        return len(self.log)

    def close(self) -> None:
        """Close the connections that are kept open."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- public verbs --

    def get(
        self,
        address: str,
        *,
        expect: Expect,
        validators: Validators | None = None,
        max_bytes: int | None = None,
        dataset: str | None = None,
        edition: str | None = None,
    ) -> Fetched:
        """Fetch an address.

        Raises FetchError ``bad_address`` or ``not_allowed_host``, and TransferError, which carries what
        was received: ``redirect_loop``, ``too_many_redirects``, ``bad_redirect``, ``timeout``,
        ``connect_timeout``, ``connection_failed``, ``connection_reset``, ``name_not_resolved``,
        ``tls_failed``, ``truncated``, ``too_large``, ``bad_encoding``, ``rate_limited``,
        ``server_error``, ``not_found``, ``gone``, ``forbidden``, ``bad_request``, ``client_error``,
        ``unexpected_status``, ``html_instead_of_file``, ``json_error``, ``wrong_content_type``,
        ``request_failed``.
        """
        where = {"dataset": dataset, "edition": edition}
        deadline = self._monotonic() + self.limits.total_seconds
        conditional = validators.headers() if validators else {}
        limit = self.limits.max_bytes if max_bytes is None else max_bytes
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._follow(address, conditional, expect, limit, deadline, where)
            except FetchError as error:
                wait = self._wait_before(attempt + 1, error)
                if (
                    error.code not in RETRIED_CODES
                    or attempt >= self.limits.attempts
                    or wait is None
                    or self._monotonic() + wait >= deadline
                ):
                    if isinstance(error, TransferError):
                        error.after(attempt)
                    raise
                self._sleep(wait)

    def get_json(
        self,
        address: str,
        *,
        validators: Validators | None = None,
        dataset: str | None = None,
        edition: str | None = None,
    ) -> tuple[Any, Fetched]:
        """Fetch JSON. ``(None, fetched)`` where the publisher says "not modified".

        Raises as ``get``, and TransferError ``json_error`` where the body is not JSON.
        """
        fetched = self.get(
            address, expect=JSON, validators=validators, dataset=dataset, edition=edition
        )
        if fetched.not_modified:
            return None, fetched
        try:
            return json.loads(fetched.content), fetched
        except (ValueError, RecursionError) as error:
            raise TransferError(
                f"{fetched.address} was expected to be JSON and cannot be read as such ({error}).",
                content=fetched.content,
                address=fetched.address,
                content_type=fetched.content_type,
                code="json_error",
                dataset=dataset,
                edition=edition,
                expected="JSON",
                found=_start_of(fetched.content),
                todo="Open the address in a browser; if the publisher is in order, try again later.",
            ) from error

    # -- one try --

    def _follow(
        self,
        address: str,
        conditional: Mapping[str, str],
        expect: Expect,
        limit: int,
        deadline: float,
        where: Mapping[str, Any],
    ) -> Fetched:
        asked = self._allowed(address, where)
        seen = [asked]
        while True:
            answer = self._once(asked, conditional, limit, deadline, where)
            if answer.status not in REDIRECT_STATUSES:
                return self._judge(asked, answer, expect, where)
            location = answer.headers.get("Location", "")
            if not location:
                raise TransferError(
                    f"{asked} answered {answer.status} without saying where to.",
                    code="bad_redirect",
                    **where,
                )
            asked = self._allowed(redirect_target(asked, location), where, came_from=asked)
            if asked in seen:
                raise TransferError(
                    f"{seen[0]} redirects in a circle: {' -> '.join([*seen, asked])}.",
                    code="redirect_loop",
                    todo="Open the page in a browser and correct the address in the catalogue.",
                    **where,
                )
            seen.append(asked)
            if len(seen) > self.limits.max_redirects + 1:
                raise TransferError(
                    f"{seen[0]} redirects more than {self.limits.max_redirects} times.",
                    code="too_many_redirects",
                    todo="Open the page in a browser and correct the address in the catalogue.",
                    **where,
                )

    def _allowed(
        self, address: str, where: Mapping[str, Any], *, came_from: str | None = None
    ) -> str:
        try:
            return self.allow_list.check(address)
        except FetchError as error:
            via = f"{came_from} redirects elsewhere. " if came_from else ""
            raise TransferError(
                via + error.message,
                code=error.code,
                expected="an address of the publisher",
                found=address[:200],
                **where,
            ) from error

    def _once(
        self,
        address: str,
        conditional: Mapping[str, str],
        limit: int,
        deadline: float,
        where: Mapping[str, Any],
    ) -> _Answer:
        remaining = deadline - self._monotonic()
        if remaining <= 0:
            raise self._timeout(address, self.limits.total_seconds, where)
        result: queue.Queue[_Answer | BaseException] = queue.Queue(1)
        cancel = threading.Event()

        def work() -> None:
            try:
                result.put(self._exchange(address, conditional, limit, remaining, cancel, where))
            except BaseException as error:
                result.put(error)

        # A thread, because neither looking up a name nor a header sent letter by letter heeds the
        # time-outs of a socket. One that overstays is left behind and its connection dropped.
        threading.Thread(target=work, name="pulse-fetch", daemon=True).start()
        outcome: _Answer | BaseException
        try:
            outcome = result.get(timeout=remaining)
        except queue.Empty:
            cancel.set()
            self._sessions.clear()
            outcome = self._timeout(address, self.limits.total_seconds, where)
        if isinstance(outcome, BaseException):
            code = outcome.code if isinstance(outcome, FetchError) else type(outcome).__name__
            received = len(outcome.content) if isinstance(outcome, TransferError) else 0
            self.log.append(RequestRecord("GET", address, str(code), received))
            raise outcome
        self.log.append(RequestRecord("GET", address, str(outcome.status), len(outcome.content)))
        return outcome

    def _exchange(
        self,
        address: str,
        conditional: Mapping[str, str],
        limit: int,
        remaining: float,
        cancel: threading.Event,
        where: Mapping[str, Any],
    ) -> _Answer:
        headers = {
            "User-Agent": self._user_agent,
            "Accept-Encoding": "gzip",
            "Accept": "*/*",
            **conditional,
        }
        limits = self.limits
        timeouts = (min(limits.connect_seconds, remaining), min(limits.read_seconds, remaining))
        started = self._monotonic()
        body = bytearray()
        content_type: str | None = None
        announced = ""
        try:
            with contextlib.closing(
                self._session(address).get(
                    address, headers=headers, stream=True, allow_redirects=False, timeout=timeouts
                )
            ) as response:
                content_type = response.headers.get("Content-Type")
                answer = _Answer(response.status_code, response.headers)
                if response.status_code in REDIRECT_STATUSES or response.status_code == 304:
                    return answer
                announced = response.headers.get("Content-Length", "")
                if announced.isdigit() and int(announced[:18]) > limit:
                    raise _TooLargeError
                for part in _decoded(_parts(response, cancel), response.headers, limit):
                    body += part
                    if len(body) > limit:
                        raise _TooLargeError
                    if self._monotonic() - started > remaining:
                        raise self._timeout(address, limits.total_seconds, where)
                answer.content = bytes(body)
                return answer
        except _TooLargeError as error:
            raise TransferError(
                f"{address} is larger than the {limit:,} bytes that are accepted; the download was "
                "stopped.",
                content=bytes(body[:KEPT_OF_OVERSIZE]),
                address=address,
                content_type=content_type,
                code="too_large",
                expected=f"at most {limit:,} bytes",
                found=f"{announced} bytes announced" if announced else "more than that",
                todo="Check the file by eye; if it is right, raise the dataset's size limit.",
                **where,
            ) from error
        except _BadEncodingError as error:
            raise TransferError(
                f"{address} sent a body that cannot be unpacked: {error}.",
                content=bytes(body),
                address=address,
                content_type=content_type,
                code="bad_encoding",
                **where,
            ) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._named(address, error, bytes(body), content_type, where) from error
        except http.client.HTTPException as error:
            raise self._named(address, error, bytes(body), content_type, where) from error

    def _session(self, address: str) -> _PlainSession:
        here = is_loopback(split_address(address)[1])
        if here not in self._sessions:
            session = _PlainSession()
            # Proxies and certificate bundles set for this computer hold for the internet only.
            session.trust_env = not here
            self._sessions[here] = session
        return self._sessions[here]

    # -- naming what happened --

    def _timeout(self, address: str, seconds: float, where: Mapping[str, Any]) -> TransferError:
        return TransferError(
            f"{address} did not answer in full within {seconds:g} s.",
            code="timeout",
            todo="Try again later; until then the last good revision stays in use.",
            **where,
        )

    def _named(
        self,
        address: str,
        error: BaseException,
        body: bytes,
        content_type: str | None,
        where: Mapping[str, Any],
    ) -> TransferError:
        chain = list(_causes(error))

        def any_is(*kinds: type[BaseException]) -> bool:
            return any(isinstance(each, kinds) for each in chain)

        later = "Try again later; until then the last good revision stays in use."
        if any_is(http.client.IncompleteRead):
            return TransferError(
                f"{address} broke off: the body is shorter than announced ({len(body):,} bytes "
                "received).",
                content=body,
                address=address,
                content_type=content_type,
                code="truncated",
                expected="the whole file",
                found=f"{len(body):,} bytes",
                todo=later,
                **where,
            )
        if any_is(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
            return TransferError(
                f"No trusted connection to {address} could be made ({error}).",
                code="tls_failed",
                todo="Check the clock and the certificates of this computer and its proxy.",
                **where,
            )
        if any_is(urllib3.exceptions.NameResolutionError, socket.gaierror):
            return TransferError(
                f"The host of {address} cannot be found.",
                code="name_not_resolved",
                todo="Check the network connection.",
                **where,
            )
        # Before the time-outs: urllib3 counts a refused connection among them.
        if any_is(urllib3.exceptions.NewConnectionError, ConnectionRefusedError):
            return TransferError(
                f"No connection to {address} could be made.",
                code="connection_failed",
                todo="Check the network connection; " + later[0].lower() + later[1:],
                **where,
            )
        if any_is(requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
            connecting = any_is(requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError)
            seconds = self.limits.connect_seconds if connecting else self.limits.read_seconds
            what = "could not be connected to" if connecting else "sent nothing"
            return TransferError(
                f"{address} {what} within {seconds:g} s.",
                code="connect_timeout" if connecting else "timeout",
                todo=later,
                **where,
            )
        if any_is(requests.ConnectionError, urllib3.exceptions.ProtocolError, OSError):
            return TransferError(
                f"The connection to {address} was broken off after {len(body):,} bytes.",
                content=body,
                address=address,
                content_type=content_type,
                code="connection_reset",
                expected="the whole file",
                found=f"{len(body):,} bytes",
                todo=later,
                **where,
            )
        return TransferError(
            f"{address} could not be asked ({type(error).__name__}: {error}).",
            code="request_failed",
            **where,
        )

    def _judge(
        self, address: str, answer: _Answer, expect: Expect, where: Mapping[str, Any]
    ) -> Fetched:
        content_type = _plain_type(answer.headers.get("Content-Type"))
        found = Fetched(
            address=address,
            content=answer.content,
            not_modified=answer.status == 304,
            content_type=content_type,
            validators=Validators(answer.headers.get("ETag"), answer.headers.get("Last-Modified")),
            retrieved_at=self.now(),
        )
        if answer.status == 304:
            return found
        if answer.status != 200:
            raise self._status_error(address, answer, where)
        looks_html = looks_like_html(answer.content)
        if expect is not PAGE and (looks_html or content_type in PAGE.content_types):
            raise TransferError(
                f"{address} answered with a web page where {expect.name} was expected.",
                content=answer.content,
                address=address,
                content_type=content_type,
                code="html_instead_of_file",
                expected=expect.name,
                found=_start_of(answer.content),
                todo="Open the address in a browser: it is usually a notice of maintenance or of a "
                "moved page.",
                **where,
            )
        if content_type is not None and content_type not in expect.content_types:
            is_json = content_type.endswith("json")
            raise TransferError(
                f"{address} answered with {content_type} where {expect.name} was expected.",
                content=answer.content,
                address=address,
                content_type=content_type,
                code="json_error" if is_json else "wrong_content_type",
                expected=expect.name,
                found=_start_of(answer.content) if is_json else content_type,
                todo="Open the address in a browser and read what the publisher says.",
                **where,
            )
        return found

    def _status_error(
        self, address: str, answer: _Answer, where: Mapping[str, Any]
    ) -> TransferError:
        status = answer.status
        code, text, todo = _STATUS_ERRORS.get(
            status,
            ("server_error", f"answered with its own error {status}", "Try again later.")
            if status >= 500
            else ("client_error", f"refused the request with {status}", "Report this.")
            if status >= 400
            else ("unexpected_status", f"answered {status}", "Report this."),
        )
        return TransferError(
            f"{address} {text}.",
            address=address,
            content=answer.content if status < 500 and status != 429 else b"",
            content_type=_plain_type(answer.headers.get("Content-Type")),
            status=status,
            retry_after=answer.headers.get("Retry-After"),
            code=code,
            expected="200",
            found=f"{status}: {_start_of(answer.content)}" if answer.content else str(status),
            todo=todo,
            **where,
        )

    def _wait_before(self, attempt: int, error: FetchError) -> float | None:
        """Seconds to wait before a try (2, 3, …); None where it is not worth another one."""
        if isinstance(error, TransferError):
            if error.status is not None and error.status not in RETRIED_STATUSES:
                return None
            asked = _retry_after(error.retry_after, self.now())
        else:
            asked = None
        if asked is not None:
            return asked if asked <= self.limits.longest_wait_seconds else None
        ceiling = min(
            self.limits.backoff_seconds * 2.0 ** (attempt - 2), self.limits.backoff_cap_seconds
        )
        return ceiling * (0.5 + 0.5 * self._jitter())


_STATUS_ERRORS: Final[Mapping[int, tuple[str, str, str]]] = {
    400: (
        "bad_request",
        "did not understand the request (400)",
        "Compare the catalogue's discovery settings with the publisher's documentation.",
    ),
    401: ("forbidden", "asks for a password (401)", "Open the address in a browser."),
    403: ("forbidden", "does not let Pulse in (403)", "Open the address in a browser."),
    404: (
        "not_found",
        "does not exist (404)",
        "Open the publisher's landing page, find where the file is now, and correct the catalogue.",
    ),
    410: (
        "gone",
        "was removed by its publisher (410)",
        "Read the publisher's landing page: the release was withdrawn or replaced.",
    ),
    422: (
        "bad_request",
        "refused a parameter of the request (422)",
        "Compare the catalogue's discovery settings with the publisher's documentation.",
    ),
    429: ("rate_limited", "asks to be asked less often (429)", "Try again later."),
}


# --- bodies --------------------------------------------------------------------------------------


class _BadEncodingError(Exception):
    """A body is not what its Content-Encoding says."""


class _TooLargeError(Exception):
    """A body is larger than the limit, as sent or unpacked."""


def _parts(response: requests.Response, cancel: threading.Event) -> Iterator[bytes]:
    """The body as sent, in the pieces it arrives in.

    One piece is one read of the socket, so that a body that drips in cannot outlast the deadline.
    """
    while not cancel.is_set():
        part = response.raw.read1(65_536, decode_content=False)
        if not part:
            return
        yield part


def _decoded(parts: Iterator[bytes], headers: Mapping[str, str], limit: int) -> Iterator[bytes]:
    """Undo gzip in bounded steps, never more than 1 MB at once: a bomb is met, not unpacked."""
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        yield from parts
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise _BadEncodingError(f"it is encoded as {encoding[:40]!r}, gzip was expected")
    received = 0
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for part in parts:
        received += len(part)
        if received > limit:
            raise _TooLargeError
        pending = part
        while pending:
            if unpacker.eof:
                unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                unpacked = unpacker.decompress(pending, 1_000_000)
            except zlib.error as error:
                raise _BadEncodingError(f"it says gzip and is not ({error})") from error
            yield unpacked
            pending = unpacker.unconsumed_tail or (unpacker.unused_data if unpacker.eof else b"")
    if received and not unpacker.eof:
        raise http.client.IncompleteRead(b"")


def looks_like_html(content: bytes) -> bool:
    """Whether a body begins like a web page, whatever its content type says."""
    start = content[:1_024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _start_of(content: bytes) -> str:
    text = " ".join(content[:400].decode("utf-8", errors="replace").split())
    return text[:160] + ("…" if len(text) > 160 else "")


def _plain_type(header: str | None) -> str | None:
    plain = (header or "").split(";", 1)[0].strip().lower()
    return plain or None


def _retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header (a number, or a date), None where there is none."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all it wraps, through causes, contexts, arguments and ``reason``."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        pending += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


# --- can they be reached at all? -----------------------------------------------------------------


@dataclass(frozen=True)
class Reachability:
    """Which publishers can be connected to, as told by ``probe``; updated as a run learns more."""

    reached: dict[str, bool]

    def line(self) -> str:
        """One line for the run's record."""
        absent = sorted(name for name, reached in self.reached.items() if not reached)
        if not absent:
            return f"All {len(self.reached)} publisher addresses can be reached."
        if len(absent) == len(self.reached):
            return (
                "No publisher can be reached from here: going on with the files already held, "
                "else the bundled figures."
            )
        return (
            f"Cannot be reached from here: {', '.join(absent)}; for these, going on with the files "
            "already held, else the bundled figures."
        )


def probe(
    settings: PublisherSettings,
    *,
    seconds: float = 2.0,
    connect: Callable[[str, float], None] | None = None,
) -> Reachability:
    """Try to connect to each publisher, all at once, in at most ``seconds`` in total.

    No request is made: a connection is opened (to the proxy, where one is set) and closed.
    """
    attempt = connect or _connect
    answers: dict[str, threading.Event] = {}
    threads = []
    for name, base in settings.bases().items():
        reached = answers[name] = threading.Event()

        def work(address: str = base.address, reached: threading.Event = reached) -> None:
            with contextlib.suppress(OSError, ValueError):
                attempt(address, seconds)
                reached.set()

        thread = threading.Thread(target=work, name=f"pulse-probe-{name}", daemon=True)
        thread.start()
        threads.append(thread)
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
