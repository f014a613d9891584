"""The server's settings against a real PostgreSQL: state, code location, page and daemon.

A server of its own is made on a free port of this computer, by a user without rights where the
tests run as root, and removed afterwards. Where PostgreSQL is not installed the tests skip.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.operations.small_builds import fast_folder
from tests.operations.test_deploy import image_environment, our_services
from warehouse.workspace import PROJECT

pytestmark = pytest.mark.slow
NOBODY = 65534


def program(name: str) -> str | None:
    """A program of PostgreSQL: on the path, or where Debian keeps them."""
    found = shutil.which(name)
    if found:
        return found
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(kept[-1]) if kept else None


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL, a folder for state, and the environment of our processes."""

    folder: Path
    environment: dict[str, str]

    def start(self, *words: str, cwd: Path = PROJECT) -> subprocess.Popen[str]:
        """One of our commands, with the server's settings; what it says goes to a file."""
        log = (self.folder / f"{words[0]}-{time.monotonic_ns()}.log").open("w")
        return subprocess.Popen(
            [str(Path(sys.executable).with_name(words[0])), *words[1:]],
            cwd=cwd,
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same, to its end."""
        return subprocess.run(
            [str(Path(sys.executable).with_name(words[0])), *words[1:]],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def logs(self) -> str:
        """What the commands said, for a failure's message."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(encoding='utf-8')[-3000:]}"
            for path in sorted(self.folder.glob("*.log"))
        )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL that asks for its password, and the settings of ``deploy/`` that point at it."""
    initdb, postgres, psql = program("initdb"), program("postgres"), program("psql")
    if not (initdb and postgres and psql):
        pytest.skip("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    pytest.importorskip("dagster_postgres", reason="the extra `server` is not installed")
    folder = fast_folder("postgres")
    folder.chmod(0o755)
    password = secrets.token_hex(16)
    # PostgreSQL refuses to run as root.
    other: dict[str, int] = {}
    (folder / "database").mkdir()
    (folder / "password").write_text(password, encoding="utf-8")
    if os.geteuid() == 0:
        other = {"user": NOBODY, "group": NOBODY}
        for path in (folder, folder / "database", folder / "password"):
            os.chown(path, NOBODY, NOBODY)
    port = free_port()
    made = subprocess.run(
        [
            initdb,
            "-D",
            str(folder / "database"),
            "-U",
            "pulse",
            "--auth=scram-sha-256",
            "--pwfile",
            str(folder / "password"),
            "--no-sync",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        **other,  # type: ignore[arg-type]
    )
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no PostgreSQL can be made here: {made.stderr.strip()[-300:]}")
    with (folder / "postgres.log").open("w") as log:
        running = subprocess.Popen(
            [
                postgres,
                "-D",
                str(folder / "database"),
                "-p",
                str(port),
                "-k",
                str(folder),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "fsync=off",
            ],
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            **other,  # type: ignore[call-overload]
        )
    environment = {
        **os.environ,
        **{k: v for k, v in image_environment().items() if k not in ("PATH", "PYTHONUNBUFFERED")},
        **our_services()["code"]["environment"],
        "PULSE_PG_HOST": "127.0.0.1",
        "PULSE_PG_PORT": str(port),
        "PULSE_PG_PASSWORD": password,
        "PULSE_CODE_HOST": "127.0.0.1",
        "PULSE_CODE_PORT": str(free_port()),
        "PULSE_HOME": str(folder / "home"),
        "PULSE_STATE": str(folder / "state"),
        "PULSE_ALERTS": "",
        "PULSE_PAGE": "http://127.0.0.1:3000",
        "PULSE_SOURCE_MODE": "offline",
        "DAGSTER_HOME": str(PROJECT / "deploy"),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    try:
        for _ in range(300):
            done = subprocess.run(
                [
                    psql,
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(port),
                    "-U",
                    "pulse",
                    "-d",
                    "postgres",
                    "-qc",
                    "create database pulse",
                ],
                env={**os.environ, "PGPASSWORD": password},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                break
            assert running.poll() is None, (folder / "postgres.log").read_text()
            time.sleep(0.2)
        else:
            raise AssertionError(done.stderr)
        yield Server(folder, environment)
    finally:
        running.terminate()
        running.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


RUN_ONE = """
import dagster as dg

@dg.op
def station(): return 1

@dg.job
def small(): station()

with dg.DagsterInstance.get() as instance:
    print(instance.run_storage.__class__.__name__, small.execute_in_process(instance=instance).run_id)
"""
READ_ONE = """
import sys, dagster as dg

with dg.DagsterInstance.get() as instance:
    print(instance.get_run_by_id(sys.argv[1]).status.value, len(instance.all_logs(sys.argv[1])) > 5)
"""


def test_state_lasts_in_postgres(server: Server) -> None:
    """A run of one process is read by another, and nothing is written beside the settings."""
    before = sorted(path.name for path in (PROJECT / "deploy").iterdir())
    done = server.run("python", "-c", RUN_ONE)
    assert done.returncode == 0, done.stderr
    storage, run_id = done.stdout.split()
    assert "postgres" in storage.lower()
    reported = server.run("python", "-c", READ_ONE, run_id)
    assert reported.stdout.split() == ["SUCCESS", "True"], reported.stderr
    assert sorted(path.name for path in (PROJECT / "deploy").iterdir()) == before


def test_a_missing_setting_and_a_wrong_password_are_reported(server: Server) -> None:
    """By the variable's name; and in the database's own words."""
    environment = {k: v for k, v in server.environment.items() if k != "PULSE_PG_PASSWORD"}
    done = Server(server.folder, environment).run("python", "-c", RUN_ONE)
    assert done.returncode != 0
    assert "PULSE_PG_PASSWORD" in done.stderr
    wrong = {**server.environment, "PULSE_PG_PASSWORD": "wrong", "PGCONNECT_TIMEOUT": "5"}
    done = Server(server.folder, wrong).run("python", "-c", RUN_ONE)
    assert done.returncode != 0
    assert "password authentication failed" in done.stderr


def until(what: str, server: Server, seconds: float, *processes: subprocess.Popen[str]) -> None:
    """Until a health check of ours passes; fails at once where a process ended."""
    words = our_services()[what]["healthcheck"]["test"][1:]
    deadline = time.monotonic() + seconds
    while True:
        words = [
            word.replace("127.0.0.1:3000", f"127.0.0.1:{server.environment['PAGE_PORT']}")
            if word != "4000"
            else server.environment["PULSE_CODE_PORT"]
            for word in words
        ]
        done = server.run(*words)
        if done.returncode == 0:
            return
        ended = [process for process in processes if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            raise AssertionError(f"{what} is not healthy: {done.stderr[-800:]}\n{server.logs()}")
        time.sleep(1)


def ask(port: str, query: str) -> dict[str, object]:
    """A question to the page's own interface."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{port}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.loads(answer.read()))


def ask_when_up(
    server: Server, port: str, query: str, *processes: subprocess.Popen[str]
) -> dict[str, object]:
    """The same, once the page answers."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return ask(port, query)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{port}: {error.read().decode()[:600]}") from error
        except OSError as error:
            ended = [process for process in processes if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise AssertionError(
                    f"{port} does not answer: {error}; ended: "
                    f"{[(process.args, process.returncode) for process in ended]}\n{server.logs()}"
                ) from error
            time.sleep(1)


def test_the_services_of_compose_work_together(server: Server) -> None:
    """Code location, daemon, page and read-only page, started by their own commands."""
    server.environment["PAGE_PORT"] = str(free_port())
    viewer_port = str(free_port())
    ports = {
        "code": server.environment["PULSE_CODE_PORT"],
        "webserver": server.environment["PAGE_PORT"],
        "viewer": viewer_port,
    }
    running = []

    def start(name: str) -> None:
        words = list(our_services()[name]["command"])
        if "--port" in words:
            words[words.index("--port") + 1] = ports[name]
        if "--host" in words:
            words[words.index("--host") + 1] = "127.0.0.1"
        running.append(server.start(*words))

    try:
        start("code")
        until("code", server, 240, *running)
        for name in ("daemon", "webserver", "viewer"):
            start(name)
        until("webserver", server, 240, *running)
        until("daemon", server, 240, *running)
        reported = ask(
            ports["webserver"],
            "{ repositoriesOrError { ... on RepositoryConnection { nodes "
            "{ location { name } jobs { name } sensors { name } } } } }",
        )
        (found,) = reported["data"]["repositoriesOrError"]["nodes"]  # type: ignore[index,call-overload]
        assert found["location"]["name"] == "pulse"
        assert "refresh" in {job["name"] for job in found["jobs"]}
        assert "alert_on_failed_runs" in {sensor["name"] for sensor in found["sensors"]}
        permission = "{ permissions { permission value } }"
        for port, may in ((ports["webserver"], True), (viewer_port, False)):
            answer = ask_when_up(server, port, permission, *running)
            rights = {
                each["permission"]: each["value"]
                for each in answer["data"]["permissions"]  # type: ignore[index,call-overload]
            }
            assert rights["launch_pipeline_execution"] is may
            assert rights["delete_pipeline_run"] is may
        # Neither a command line, which any user sees, nor a file of the state has the password.
        secret = server.environment["PULSE_PG_PASSWORD"].encode()
        for words in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                assert secret not in words.read_bytes()
        for path in Path(server.environment["PULSE_STATE"]).rglob("*"):
            assert not (path.is_file() and secret in path.read_bytes()), path
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
