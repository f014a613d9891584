"""The Dagster page behind a guard: what another site's page sends never reaches Dagster.

Dagster executes a mutation that comes by GET, or by POST from a form of any site, whoever sent it.
Here a request must name a host that this page is known by, one that can change something must come
from the page itself, and GraphQL is executed by POST alone. Who may sign in is a proxy's to decide
(``deploy/``).

``python -m orchestration.page`` takes the options of ``dagster-webserver``.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from warehouse.workspace import PROJECT

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Where Dagster's command makes its application; its version is pinned, and a test covers this.
_MAKER = "create_app_from_workspace_process_context"
_READS = ("GET", "HEAD")


def known_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    """The names that the page is reached by: this computer, ``PULSE_PAGE`` and ``PULSE_HOSTS``."""
    page = _split(environment.get("PULSE_PAGE", "")).hostname
    return _LOOPBACK | {*environment.get("PULSE_HOSTS", "").split(), *([page] if page else [])}


def refusal(scope: Scope, hosts: Collection[str]) -> tuple[int, str] | None:
    """Why a request is not answered: an HTTP status and a sentence; None where it is."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, origin = (headers.get(name, "").lower() for name in (b"host", b"origin"))
    if _split(f"//{host}").hostname not in hosts:
        return 421, "This page is not known by that host name (PULSE_HOSTS names others)."
    reads = scope["type"] == "http" and scope["method"] in _READS
    if (origin or not reads) and _split(origin).netloc != host:
        return 403, "Only the page itself may send this request."
    if (
        reads
        and scope["path"].rstrip("/").endswith("/graphql")
        and "text/html" not in headers.get(b"accept", "")
    ):
        return 405, "GraphQL is answered by POST."
    return None


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def guarded(app: ASGIApp, hosts: Collection[str]) -> ASGIApp:
    """An ASGI application that refuses what does not come from its own page."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        refused = refusal(scope, hosts) if scope["type"] in ("http", "websocket") else None
        if refused is None:
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            status, words = refused
            await PlainTextResponse(words, status)(scope, receive, send)

    return answer


def serve(words: list[str]) -> None:
    """Run ``dagster-webserver`` with these options, guarded."""
    from dagster_webserver import cli

    bare = getattr(cli, _MAKER)

    def create(*arguments: Any, **named: Any) -> Any:
        return guarded(bare(*arguments, **named), known_hosts(os.environ))

    setattr(cli, _MAKER, create)
    cli.cli(words, prog_name="pulse ui", auto_envvar_prefix="DAGSTER_WEBSERVER")


def serve_with_daemon(port: int) -> None:
    """The page on this computer, and the daemon beside it for as long as the page lasts."""
    # A quiet day is a quiet log: otherwise each look of each sensor is a line.
    shared = ["--code-server-log-level", "warning", "--workspace", str(PROJECT / "workspace.yaml")]
    quiet = ["run", "--log-level", "warning", *shared]
    daemon = subprocess.Popen([sys.executable, "-m", "dagster._daemon", *quiet])
    try:
        page = ["--host", "127.0.0.1", "--port", str(port), "--dagster-log-level", "warning"]
        serve([*page, *shared])
    finally:
        daemon.terminate()
        daemon.wait()


if __name__ == "__main__":
    serve(sys.argv[1:])
