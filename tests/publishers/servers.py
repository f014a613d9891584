"""Publishers on loopback: real HTTP servers that speak the publishers' API shapes, with faults.

``FakePublishers`` runs one server a publisher. What they publish is plain data that a test can change
while they run; ``script`` makes an address misbehave. Nothing is mocked on the client's side.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import json
import re
import socket
import struct
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from sources.addresses import PublisherSettings
from sources.catalogue import OnsElsDiscovery, load_catalogue

ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HTML_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Sorry</title></head><body>We are experiencing technical "
    b"difficulties</body></html>"
)


NOMIS_COLUMNS: Final = (
    *(f"DATE{each}" for each in ("", "_NAME", "_CODE", "_TYPE", "_TYPECODE", "_SORTORDER")),
    *(f"GEOGRAPHY{each}" for each in ("", "_NAME", "_CODE", "_TYPE", "_TYPECODE", "_SORTORDER")),
    *(f"GENDER{each}" for each in ("", "_NAME", "_CODE", "_TYPE", "_TYPECODE", "_SORTORDER")),
    *(f"C_AGE{each}" for each in ("", "_NAME", "_CODE", "_TYPE", "_TYPECODE", "_SORTORDER")),
    *("MEASURES", "MEASURES_NAME", "OBS_VALUE", "OBS_STATUS", "OBS_STATUS_NAME", "OBS_CONF"),
    *("OBS_CONF_NAME", "URN", "RECORD_OFFSET", "RECORD_COUNT"),
)
"""The columns of a Nomis answer where none are selected."""
INDICATORS: Final = {
    printed: entry.discovery.indicators[measure]
    for code in ("ons_local_statistics", "ons_local_indicators")
    for entry in [load_catalogue().dataset(code)]
    if isinstance(entry.discovery, OnsElsDiscovery)
    for printed, measure in entry.layouts[0].indicators.items()
}
ITL1_CODES: Final = {
    f"TL{letter}": f"E1200000{number}" for number, letter in enumerate("CDEFGHIJK", start=1)
}
"""England's regions: the codes of the data file, and those of the service."""


@dataclass
class Reply:
    """What a server sends. ``misbehave`` takes over the connection instead, where given."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    misbehave: Callable[[Handler, Reply], None] | None = None


@dataclass
class Asset:
    """A file that a publisher serves at an address."""

    content: bytes
    content_type: str


def as_json(payload: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(payload).encode(), "application/json; charset=utf-8")


class Handler(BaseHTTPRequestHandler):
    """Routes a GET to the publisher's data, after any scripted fault."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        path = self.path
        with self.server.lock:
            self.server.requests.append((path, dict(self.headers.items())))
        with contextlib.suppress(ConnectionError):
            reply = self.server.route(path)
            fault = self.server.next_fault(path)
            if fault is not None:
                reply = fault(reply)
            if reply.misbehave is not None:
                self.close_connection = True
                reply.misbehave(self, reply)
            else:
                self.send(reply)

    def send(self, reply: Reply) -> None:
        tag = f'"{hashlib.sha256(reply.body).hexdigest()[:16]}"'
        plain = reply.status == 200 and "Content-Encoding" not in reply.headers
        if plain and self.server.validators and self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.send_header("ETag", tag)
            self.end_headers()
            return
        self.send_response(reply.status)
        if plain and self.server.validators:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.content_type:
            self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)


Fault = Callable[[Reply], Reply]


class Server(ThreadingHTTPServer):
    """One publisher. ``route`` is set by ``FakePublishers``."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.faults: list[tuple[re.Pattern[str], Fault, list[int]]] = []
        self.validators = True
        self.route: Callable[[str], Reply] = lambda path: Reply(404, b"nothing here", "text/plain")
        self.stopping = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        return

    def next_fault(self, path: str) -> Fault | None:
        with self.lock:
            for pattern, fault, left in self.faults:
                if pattern.search(unquote(path)) and left[0] != 0:
                    left[0] -= 1
                    return fault
        return None


class FakePublishers:
    """All publishers. Use as a context manager; ``settings`` points a client at them."""

    def __init__(self) -> None:
        names = ("govuk", "govuk_assets", "ons", "ons_geography", "nomis", "smc")
        self.servers = {name: Server() for name in names}
        self.clear()
        routes: Mapping[str, Callable[[str], Reply]] = {
            "govuk": self._govuk,
            "govuk_assets": self._asset,
            "ons": self._ons,
            "ons_geography": self._lookup,
            "nomis": self._nomis,
            "smc": self._smc,
        }
        for name, server in self.servers.items():
            server.route = routes[name]

    def clear(self) -> None:
        """Publish nothing, and behave."""
        self.pages: dict[str, dict[str, Any]] = {}
        self.search_results: list[dict[str, Any]] = []
        self.assets: dict[str, Asset] = {}
        self.lookups: dict[str, list[dict[str, Any]]] = {}
        self.lookup_page_size = 2_000
        self.ons_data = Asset(b"", "text/csv")
        self.ons_modified = "2025-10-06T09:30:00.000Z"
        self.populations: dict[str, bytes] = {}
        self.smc_files: dict[str, Asset] = {}
        self.smc_pages: dict[str, bytes] = {}
        self.heal()

    def __enter__(self) -> FakePublishers:
        for server in self.servers.values():
            threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
            ).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers.values():
            server.stopping.set()
            server.shutdown()
            server.server_close()

    @property
    def settings(self) -> PublisherSettings:
        """Settings as a person would give them: in the environment."""
        return PublisherSettings.from_env(
            {f"PULSE_{name.upper()}_BASE": server.base for name, server in self.servers.items()}
        )

    def script(self, server: str, path: str, fault: Fault, *, times: int = -1) -> None:
        """Answer addresses that match the pattern with the fault, the first ``times`` times."""
        self.servers[server].faults.insert(0, (re.compile(path), fault, [times]))

    def heal(self) -> None:
        """Take back every scripted fault and forget what was asked."""
        for server in self.servers.values():
            server.faults.clear()
            server.requests.clear()
            server.validators = True

    def asked(self) -> Counter[str]:
        """How many requests each publisher has answered since ``heal``."""
        return Counter(
            {name: len(server.requests) for name, server in self.servers.items() if server.requests}
        )

    # -- what they publish --

    def publish_release(
        self,
        page: str,
        title: str,
        attachments: list[dict[str, Any]],
        *,
        public_updated_at: str = "2025-12-10T09:30:00Z",
        updated_at: str = "2025-12-10T09:30:05.123Z",
        document_type: str = "official_statistics",
        withdrawn: str | None = None,
        more_details: Mapping[str, Any] | None = None,
    ) -> None:
        self.pages[page] = {
            "base_path": page,
            "content_id": _uuid(page),
            "title": title,
            "description": "",
            "document_type": document_type,
            "schema_name": "publication",
            "locale": "en",
            "phase": "live",
            "first_published_at": public_updated_at,
            "public_updated_at": public_updated_at,
            "updated_at": updated_at,
            "withdrawn_notice": {
                "explanation": f'<div class="govspeak"><p>{withdrawn}</p></div>',
                "withdrawn_at": "2026-01-05T10:00:00Z",
            }
            if withdrawn
            else {},
            "details": {
                "body": "",
                "attachments": attachments,
                "change_history": [
                    {"public_timestamp": public_updated_at, "note": "First published."}
                ],
                **(more_details or {}),
            },
            "links": {"organisations": [{"title": "Department for Culture, Media and Sport"}]},
        }

    def attach(
        self,
        content: bytes,
        file_name: str,
        title: str,
        content_type: str,
        *,
        stamp: str = "694144ce",
    ) -> dict[str, Any]:
        """Serve a file as an asset; returns its attachment. Another file gets another address."""
        digest = hashlib.sha256(content + stamp.encode()).hexdigest()[:16]
        path = f"/media/{stamp}{digest}/{file_name}"
        self.assets[path] = Asset(content, content_type)
        return {
            "accessible": False,
            "attachment_type": "file",
            "content_type": content_type,
            "file_size": len(content),
            "filename": file_name,
            "id": file_name,
            "title": title,
            "url": self.servers["govuk_assets"].base + path,
            "assets": [{"asset_manager_id": stamp + digest, "filename": file_name}],
        }

    def publish_collection(self, path: str, members: list[str]) -> None:
        self.pages[path] = {
            "base_path": path,
            "content_id": _uuid(path),
            "title": "Collection",
            "document_type": "document_collection",
            "public_updated_at": "2025-12-10T09:30:00Z",
            "updated_at": "2025-12-10T09:30:00Z",
            "details": {
                "collection_groups": [
                    {"title": "Releases", "body": "", "documents": [_uuid(m) for m in members]}
                ]
            },
            "links": {
                "documents": [
                    {
                        "content_id": _uuid(member),
                        "title": self.pages[member]["title"],
                        "base_path": member,
                        "api_path": "/api/content" + member,
                        "document_type": self.pages[member]["document_type"],
                        "public_updated_at": self.pages[member]["public_updated_at"],
                        "withdrawn": bool(self.pages[member]["withdrawn_notice"]),
                    }
                    for member in members
                ]
            },
        }

    def publish_lookup(self, service: str, content: bytes) -> None:
        """Serve a lookup from the CSV form of it."""
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        self.lookups[service] = [
            {**row, "ObjectId": number} for number, row in enumerate(rows, start=1)
        ]

    # -- how they answer --

    def _govuk(self, path: str) -> Reply:
        parts = urlsplit(path)
        if parts.path == "/api/search.json":
            return self._search(parse_qs(parts.query))
        if parts.path.startswith("/api/content/"):
            page = self.pages.get(parts.path.removeprefix("/api/content"))
            return as_json(page) if page else as_json({"error": {"code": 404}}, 404)
        return Reply(404, HTML_PAGE, "text/html; charset=utf-8")

    def _search(self, query: dict[str, list[str]]) -> Reply:
        allowed = ("q", "count", "start", "order", "fields")
        unknown = [
            name
            for name in query
            if name not in allowed and not re.match(r"(filter|reject)_(any_|all_)?\w+$", name)
        ]
        if unknown:
            return as_json({"error": f"Unexpected parameters: {', '.join(unknown)}"}, 422)
        words = set(" ".join(query.get("q", [])).lower().split())
        kinds = query.get("filter_content_store_document_type")
        found = [
            each
            for each in self.search_results
            if words <= set(re.findall(r"\w+", each["title"].lower()))
            and (not kinds or each.get("content_store_document_type") in kinds)
        ]
        fields = ",".join(query.get("fields", [])).split(",")
        return as_json(
            {
                "results": [
                    {**{k: v for k, v in each.items() if k in fields}, "_id": each["link"]}
                    for each in found
                ],
                "total": len(found),
                "start": 0,
                "aggregates": {},
                "suggested_queries": [],
            }
        )

    def _asset(self, path: str) -> Reply:
        return _file(self.assets.get(unquote(urlsplit(path).path)))

    def _ons(self, path: str) -> Reply:
        parts = urlsplit(path)
        if parts.path.endswith("/api/v1/data.csv"):
            query = parse_qs(parts.query)
            known = {
                "topic",
                "indicator",
                "geo",
                "time",
                "measure",
                "includeNames",
                "includeStatus",
            }
            if set(query) - known or any(len(each) > 1 for each in query.values()):
                return as_json({"message": "Invalid parameters"}, 400)
            return self._ons_answer(query)
        if parts.path.endswith("/metadata/indicators"):
            slugs = sorted(set(INDICATORS.values()))
            return as_json([{"slug": slug, "dataModified": self.ons_modified} for slug in slugs])
        return Reply(404, HTML_PAGE, "text/html")

    def _ons_answer(self, query: dict[str, list[str]]) -> Reply:
        """The data file's rows as the service puts them: other columns, one period, regions as E12.

        Columns, ``time`` and its default as in ONSdigital/explore-local-statistics-app,
        src/lib/api/data (dataFilters.ts, generateCSV.ts).
        """
        rows = list(csv.DictReader(io.StringIO(self.ons_data.content.decode())))
        if not rows:
            return Reply(404, HTML_PAGE, "text/html")
        wanted = set(query.get("indicator", [""])[0].split(","))
        latest = max(row["period"] for row in rows)[:4]
        asked = query.get("time", [latest])[0]
        year = "" if asked == "all" else asked
        regions = {row["areacd"]: row["areacd"] for row in rows} | ITL1_CODES
        out = io.StringIO()
        columns = ["indicator", "areacd", "areanm", "period", "value", "lci_95", "uci_95"]
        writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            if row["period"].startswith(year) and INDICATORS.get(row["indicator"]) in wanted:
                value = row["observation"]
                writer.writerow({**row, "value": value, "areacd": regions[row["areacd"]]})
        return Reply(200, out.getvalue().encode(), "text/csv; charset=utf-8")

    def _lookup(self, path: str) -> Reply:
        parts = urlsplit(path)
        match = re.search(r"/services/(\w+)/FeatureServer/0(/query)?$", parts.path)
        rows = self.lookups.get(match[1]) if match else None
        if match is None or rows is None:
            return as_json({"error": {"code": 400, "message": "Invalid URL", "details": []}})
        if not match[2]:
            return as_json({"name": match[1], "type": "Table"})
        query = parse_qs(parts.query)
        start = int(query.get("resultOffset", ["0"])[0])
        size = min(int(query.get("resultRecordCount", ["2000"])[0]), self.lookup_page_size)
        page = rows[start : start + size]
        answer: dict[str, Any] = {
            "objectIdFieldName": "ObjectId",
            "fields": [{"name": name, "type": "esriFieldTypeString"} for name in rows[0]],
            "features": [{"attributes": row} for row in page],
        }
        if start + size < len(rows):
            answer["exceededTransferLimit"] = True
        return as_json(answer)

    def _nomis(self, path: str) -> Reply:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        content = self.populations.get(query.get("date", [""])[0])
        if not parts.path.startswith("/api/v01/dataset/") or not query.get("geography"):
            return Reply(400, b"Bad request", "text/plain")
        if content is None:
            return Reply(200, b'"GEOGRAPHY_CODE","OBS_VALUE"\n', "text/csv")
        start = int(query.get("recordoffset", ["0"])[0])
        size = min(int(query.get("recordlimit", ["25000"])[0]), 25_000)
        lines = nomis_lines(content, query["date"][0], query.get("select", [""])[0].upper())
        body = "\n".join([lines[0], *lines[1 + start : 1 + start + size]]) + "\n"
        return Reply(200, body.encode(), "text/csv; charset=utf-8")

    def _smc(self, path: str) -> Reply:
        plain = unquote(urlsplit(path).path)
        if plain in self.smc_pages:
            return Reply(200, self.smc_pages[plain], "text/html; charset=utf-8")
        return _file(self.smc_files.get(plain))


@lru_cache(maxsize=16)
def nomis_lines(content: bytes, year: str, select: str) -> list[str]:
    """The lines of a Nomis answer with the columns selected, or all 34, from a few of them."""
    columns = [name for name in NOMIS_COLUMNS if name in select.split(",")] or list(NOMIS_COLUMNS)
    fixed = dict.fromkeys(("DATE", "DATE_NAME", "DATE_CODE"), year)
    fixed |= {"GENDER": "0", "GENDER_NAME": "Total", "GENDER_CODE": "0", "MEASURES": "20100"}
    template = ",".join(f'"{fixed.get(name, "{" + name + "}")}"' for name in columns)
    lines = [",".join(f'"{name}"' for name in columns)]
    for row in csv.DictReader(io.StringIO(content.decode())):
        age = row.get("C_AGE") or str(101 + int(re.sub(r"\D", "", row["C_AGE_NAME"])))
        name = "Aged 90+" if age == "191" else f"Age {int(age) - 101}"
        known = defaultdict(lambda: "x", row)
        known |= {"C_AGE": age, "C_AGE_CODE": age, "C_AGE_NAME": name}
        lines.append(template.format_map(known))
    return lines


def _file(asset: Asset | None) -> Reply:
    if asset is None:
        return Reply(404, HTML_PAGE, "text/html; charset=utf-8")
    return Reply(200, asset.content, asset.content_type)


def _uuid(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


# --- faults --------------------------------------------------------------------------------------


def say_nothing(seconds: float = 1.0) -> Fault:
    """Accept the request and send nothing."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        handler.server.stopping.wait(seconds)

    return lambda reply: Reply(misbehave=misbehave)


def drip(seconds: float = 0.05) -> Fault:
    """Send a header that never ends, a letter at a time, always within the read time-out."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(200):
            if handler.server.stopping.wait(seconds):
                return
            handler.wfile.write(b"a")
            handler.wfile.flush()

    return lambda reply: Reply(misbehave=misbehave)


def drip_body(seconds: float = 0.05) -> Fault:
    """Send the body a byte at a time, always within the read time-out."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        _head(handler, reply, len(reply.body))
        for byte in reply.body:
            if handler.server.stopping.wait(seconds):
                return
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()

    return lambda reply: Reply(reply.status, reply.body, reply.content_type, misbehave=misbehave)


def _head(handler: Handler, reply: Reply, length: int | None) -> None:
    handler.send_response(200)
    if reply.content_type:
        handler.send_header("Content-Type", reply.content_type)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.send_header("Connection", "close")
    handler.end_headers()


def reset_midway(reply: Reply) -> Reply:
    """Announce the whole body, send half, and tear the connection down."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        _head(handler, reply, len(reply.body))
        handler.wfile.write(reply.body[: len(reply.body) // 2])
        handler.wfile.flush()
        handler.server.stopping.wait(0.05)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    return Reply(200, reply.body, reply.content_type, misbehave=misbehave)


def truncated(reply: Reply) -> Reply:
    """Announce the whole body, send half, and close politely."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        _head(handler, reply, len(reply.body))
        handler.wfile.write(reply.body[: len(reply.body) // 2])

    return Reply(200, reply.body, reply.content_type, misbehave=misbehave)


def status(code: int, **headers: str) -> Fault:
    """Answer with a status and an error page."""
    return lambda reply: Reply(
        code,
        HTML_PAGE,
        "text/html",
        {name.replace("_", "-"): value for name, value in headers.items()},
    )


def endless_error(code: int) -> Fault:
    """Answer with an error whose page does not end."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        handler.send_response(code)
        handler.end_headers()
        while not handler.server.stopping.is_set():
            handler.wfile.write(bytes(65_536))

    return lambda reply: Reply(misbehave=misbehave)


def html_page(reply: Reply) -> Reply:
    """Answer 200 with an error page."""
    return Reply(200, HTML_PAGE, "text/html; charset=utf-8")


def disguised_html(reply: Reply) -> Reply:
    """Answer 200 with an error page that claims to be the file."""
    return Reply(200, HTML_PAGE, reply.content_type)


def json_error(reply: Reply) -> Reply:
    """Answer 200 with an error object."""
    return as_json({"error": {"code": 400, "message": "Cannot perform query", "details": []}})


def disguised_json(reply: Reply) -> Reply:
    """Answer 200 with an error object that claims to be the file."""
    return Reply(200, json_error(reply).body, reply.content_type)


def wrong_type(reply: Reply) -> Reply:
    """Send the right bytes as a PDF."""
    return Reply(200, reply.body, "application/pdf")


def redirect(location: str, code: int = 302) -> Fault:
    """Lead elsewhere."""
    return lambda reply: Reply(code, b"", None, {"Location": location})


def redirect_in_circles(reply: Reply) -> Reply:
    """Lead to another address, which leads back."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        there = handler.path.replace("?there=1", "").replace("&there=1", "")
        mark = "&there=1" if "?" in there else "?there=1"
        handler.send_response(302)
        handler.send_header("Location", there if there != handler.path else there + mark)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return Reply(misbehave=misbehave)


def oversize(size: int) -> Fault:
    """Send more than anybody wants, without announcing how much."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        _head(handler, reply, None)
        block = b"0" * 65_536
        for _ in range(size // len(block) + 1):
            handler.wfile.write(block)

    return lambda reply: Reply(200, b"", reply.content_type, misbehave=misbehave)


def announced_oversize(size: int) -> Fault:
    """Announce more than anybody wants."""

    def misbehave(handler: Handler, reply: Reply) -> None:
        _head(handler, reply, size)
        handler.wfile.write(b"0" * 1_000)
        handler.server.stopping.wait(0.2)

    return lambda reply: Reply(200, b"", reply.content_type, misbehave=misbehave)


def gzip_bomb(size: int) -> Fault:
    """A small body that unpacks to a large one."""
    packed = gzip.compress(b"0" * size, compresslevel=1)
    return lambda reply: Reply(200, packed, reply.content_type, {"Content-Encoding": "gzip"})


def sends(content: bytes) -> Fault:
    """Send other bytes under the same type."""
    return lambda reply: Reply(200, content, reply.content_type)


@contextlib.contextmanager
def publishers() -> Iterator[FakePublishers]:
    """Running publishers with nothing published yet."""
    with FakePublishers() as running:
        yield running
