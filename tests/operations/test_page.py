"""What may reach the Dagster page: its own requests, under names that it is known by."""

from __future__ import annotations

import asyncio
import base64
import http.client
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestration import page
from orchestration.page import guarded, known_hosts, refusal
from tests.lazy import lazy
from warehouse.workspace import PROJECT

definitions = lazy("orchestration.definitions")

HOSTS = known_hosts({"PULSE_PAGE": "https://operate.pulse.example", "PULSE_HOSTS": "a.test b.test"})
OWN = {"Host": "operate.pulse.example", "Origin": "https://operate.pulse.example"}
DESK = {"Host": "127.0.0.1:3000", "Origin": "http://127.0.0.1:3000"}
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
MUTATION = "/graphql?query=mutation%7BlaunchRun%7D"

# Method or "websocket", path, headers, and the status (0: reaches Dagster).
REQUESTS: dict[str, tuple[str, str, dict[str, str], int]] = {
    "page": ("GET", "/runs", {"Host": OWN["Host"]}, 0),
    "page after a link elsewhere": ("GET", "/", {**OWN, "Origin": ""}, 0),
    "own query": ("POST", "/graphql", OWN, 0),
    "own channel": ("websocket", "/graphql", {**OWN, **UPGRADE}, 0),
    "mutation by GET": ("GET", MUTATION, {"Host": OWN["Host"]}, 405),
    "mutation by GET, slash": (
        "GET",
        "/graphql/?query=mutation%7Bx%7D",
        {"Host": OWN["Host"]},
        405,
    ),
    "mutation by HEAD": ("HEAD", MUTATION, {"Host": OWN["Host"]}, 405),
    "mutation by GET, own origin": ("GET", MUTATION, OWN, 405),
    "form of another site": ("POST", MUTATION, {**OWN, "Origin": "https://evil.example"}, 403),
    "sandboxed frame": ("POST", MUTATION, {**OWN, "Origin": "null"}, 403),
    "no origin": ("POST", "/graphql", {"Host": OWN["Host"]}, 403),
    "origin in plain text of a longer name": (
        "POST",
        "/graphql",
        {**OWN, "Origin": "https://operate.pulse.example.evil.example"},
        403,
    ),
    "sister site": ("POST", "/graphql", {**OWN, "Origin": "https://runs.pulse.example"}, 403),
    "report of an asset": ("POST", "/report_asset_materialization/x", {"Host": OWN["Host"]}, 403),
    "channel of another site": (
        "websocket",
        "/graphql",
        {**OWN, **UPGRADE, "Origin": "https://evil.example"},
        403,
    ),
    "another name for this computer": (
        "POST",
        "/graphql",
        {"Host": "evil.example", "Origin": "https://evil.example"},
        421,
    ),
    "unknown name, reading": ("GET", "/", {"Host": "evil.example"}, 421),
}


def _scope(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "websocket" if method == "websocket" else "http",
        "method": method,
        "path": path.partition("?")[0],
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items() if v],
    }


@pytest.mark.parametrize("name", REQUESTS)
def test_what_another_site_sends_is_refused(name: str) -> None:
    method, path, headers, status = REQUESTS[name]
    refused = refusal(_scope(method, path, headers), HOSTS)
    assert (refused[0] if refused else 0) == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (DESK, 0),
        ({"Host": "[::1]:3000", "Origin": "http://[::1]:3000"}, 0),
        ({**DESK, "Origin": "http://127.0.0.1:8000"}, 403),
        ({**DESK, "Host": "[127.0.0.1:3000"}, 421),
        ({**DESK, "Host": ""}, 421),
        ({"Host": "a.test", "Origin": "https://a.test"}, 0),
    ],
)
def test_names_and_ports(headers: dict[str, str], status: int) -> None:
    refused = refusal(_scope("POST", "/graphql", headers), HOSTS)
    assert (refused[0] if refused else 0) == status


def test_a_refused_request_never_reaches_the_application() -> None:
    reached, sent = [], []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def all_of_them() -> None:
        for method, path, headers, _ in REQUESTS.values():
            await guarded(application, HOSTS)(_scope(method, path, headers), None, send)  # type: ignore[arg-type]
        await guarded(application, HOSTS)({"type": "lifespan", "path": "start"}, None, send)  # type: ignore[arg-type]

    asyncio.run(all_of_them())
    assert reached == ["/runs", "/", "/graphql", "/graphql", "start"]
    assert [m["code"] for m in sent if m["type"] == "websocket.close"] == [1008]


@pytest.mark.slow
def test_the_page_listens_on_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the guard is put where Dagster's own command makes its application."""
    from dagster_webserver import cli

    given: list[list[str]] = []
    monkeypatch.setattr(cli, "create_app_from_workspace_process_context", lambda *_: "bare")
    monkeypatch.setattr(cli, "cli", lambda words, **_: given.append(words))
    monkeypatch.setattr(page, "guarded", lambda app, hosts: (app, hosts))
    page.serve(["--host", "127.0.0.1"])
    assert given == [["--host", "127.0.0.1"]]
    made = cli.create_app_from_workspace_process_context(None)  # type: ignore[arg-type]
    assert made == ("bare", known_hosts({}))  # type: ignore[comparison-overlap]
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert "@$(BIN)/pulse ui\n" in makefile


@pytest.mark.slow
def test_a_run_is_configured_in_how_publishers_are_treated_and_nothing_else() -> None:
    """Folders come from the environment of the process, never from whoever starts a run."""
    resource = definitions.defs().resolve_job_def("refresh").resource_defs["pulse"]
    shape = resource.config_schema.config_type
    assert set(shape.fields) == {"source_mode"}  # type: ignore[attr-defined]
    managers = {
        manager
        for asset in definitions.defs().resolve_all_asset_specs()
        if (manager := asset.metadata.get("dagster/io_manager_key"))
    }
    assert managers <= {"observations_io"}, "Dagster's own stores pickles"


class _Behind(BaseHTTPRequestHandler):
    """In the page's place: records what reaches it."""

    reached: list[str]

    def _answer(self) -> None:
        self.reached.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_HEAD = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Behind) as server:
        return int(server.server_port)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[tuple[int, list[str]]]:
    """nginx with the rules of deploy/, in front of a recorder; its port and what came through."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is not installed here")
    reached: list[str] = []
    behind = ThreadingHTTPServer(("127.0.0.1", 0), type("Behind", (_Behind,), {"reached": reached}))
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=pulse.example", "-keyout", "key.pem", "-out", "fullchain.pem"]
    subprocess.run([*words, *names], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("published", encoding="utf-8")
    for name in ("viewers", "operators"):
        (tmp_path / name).write_text(f"{name}:{{PLAIN}}secret\n", encoding="utf-8")
    port = _free_port()
    rules = (PROJECT / "deploy" / "proxy.conf").read_text(encoding="utf-8")
    for old, new in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "/etc/pulse/tls/": f"{tmp_path}/",
        "/etc/pulse/": f"{tmp_path}/",
        "/var/lib/pulse/warehouse/exports/site": f"{tmp_path}/site",
        "http://127.0.0.1:3000": f"http://127.0.0.1:{behind.server_port}/operators/",
        "http://127.0.0.1:3001": f"http://127.0.0.1:{behind.server_port}/viewers/",
    }.items():
        assert old in rules
        rules = rules.replace(old, new)
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"{'user root; ' if os.geteuid() == 0 else ''}daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; "
        f"events {{}} http {{ access_log off; {folders} {rules} }}",
        encoding="utf-8",
    )
    started = subprocess.Popen([nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")])
    try:
        for _ in range(100):
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
                break
            except OSError:
                time.sleep(0.1)
        yield port, reached
    finally:
        started.terminate()
        started.wait()
        behind.shutdown()


def _ask(port: int, method: str, path: str, headers: dict[str, str], user: str | None) -> int:
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    kept = {name: value for name, value in headers.items() if value}
    if user:
        word = base64.b64encode(f"{user}:secret".encode()).decode()
        kept["Authorization"] = f"Basic {word}"
    connection.request("GET" if method == "websocket" else method, path, headers=kept)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.slow
def test_the_proxy_refuses_what_another_site_sends(proxy: tuple[int, list[str]]) -> None:
    """The same requests as above, of a signed-in operator, and what each audience may open."""
    port, reached = proxy
    for name, (method, path, headers, status) in REQUESTS.items():
        before = len(reached)
        answered = _ask(port, method, path, headers, "operators")
        assert answered == (status or 200), name
        assert (len(reached) > before) is (status == 0), name
    assert all(" /operators" in each for each in reached)
    runs = {"Host": "runs.pulse.example"}
    assert _ask(port, "GET", "/", runs, None) == 401
    assert _ask(port, "GET", "/", runs, "viewers") == 200
    assert reached[-1] == "GET /viewers/"
    assert _ask(port, "GET", "/", {"Host": OWN["Host"]}, "viewers") == 401
    assert _ask(port, "GET", "/", {"Host": "pulse.example"}, None) == 200
    assert _ask(port, "POST", "/", {"Host": "pulse.example"}, None) == 403
