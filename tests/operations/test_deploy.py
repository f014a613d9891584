"""What is in ``deploy/``: it can be read, names things that exist, grants no more than it needs."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from warehouse.identity import code_files
from warehouse.workspace import PROJECT

DEPLOY = PROJECT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SERVICE_KEYS = {
    *("image", "build", "restart", "user", "read_only", "cap_drop", "cap_add", "security_opt"),
    *("tmpfs", "init", "environment", "command", "volumes", "networks", "ports", "depends_on"),
    "healthcheck",
}
# Which parts of the instance's settings differ on a server: where state is kept.
STATE_KEYS = {"storage", "event_log_storage", "local_artifact_storage", "compute_logs"}


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file of ours."""
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def compose() -> dict[str, Any]:
    """The compose file, anchors resolved."""
    return read_yaml(DEPLOY / "compose.yaml")


def our_services() -> dict[str, dict[str, Any]]:
    """The services that run our own image."""
    return {
        name: service
        for name, service in compose()["services"].items()
        if service["image"] == "pulse"
    }


def settings_read(tree: Any) -> set[str]:
    """The variables that a Dagster settings file asks of the environment."""
    if isinstance(tree, dict):
        if set(tree) == {"env"}:
            return {tree["env"]}
        return set().union(*(settings_read(part) for part in tree.values()), set())
    if isinstance(tree, list):
        return set().union(*(settings_read(part) for part in tree), set())
    return set()


def image_environment() -> dict[str, str]:
    """What the image's last stage sets."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    last = text.split("\nFROM ")[-1]
    pairs: dict[str, str] = {}
    for line in last.splitlines():
        if line.startswith("ENV "):
            pairs.update(pair.split("=", 1) for pair in line.removeprefix("ENV ").split())
    return pairs


def test_what_the_image_imports_exists() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    (program,) = re.findall(r'python -c "([^"]+)"', text)
    found = [node for node in ast.parse(program).body if isinstance(node, ast.ImportFrom)]
    assert found
    for node in found:
        module = importlib.import_module(str(node.module))
        assert all(hasattr(module, each.name) for each in node.names), program


def copied_patterns() -> list[str]:
    """What the image copies from the project."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [
        pattern
        for line in text.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for pattern in line.split()[1:-1]
    ]


def test_the_image_holds_every_file_that_decides_what_is_computed() -> None:
    """Else its releases would name another code, and no other machine could make them again."""
    copied: set[Path] = set()
    for pattern in copied_patterns():
        for path in PROJECT.glob(pattern):
            copied |= set(path.rglob("*")) if path.is_dir() else {path}
    assert [path for path in code_files() if path not in copied] == []


def test_compose_has_the_shape_that_compose_reads() -> None:
    """Known keys, defined networks and volumes, dependencies that exist."""
    tree = compose()
    for name, service in tree["services"].items():
        assert set(service) <= SERVICE_KEYS, name
        assert set(service["networks"]) <= set(tree["networks"])
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in tree["volumes"], (name, volume)
        for other in service.get("depends_on", {}):
            assert other in tree["services"]
            assert "healthcheck" in tree["services"][other]
    assert set(tree["services"]) == {"database", "code", "daemon", "webserver", "viewer", "site"}


def test_services_have_no_rights_they_do_not_need() -> None:
    """Not root, nothing but volumes may be written, each looked after by a health check."""
    tree = compose()
    for name, service in tree["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["healthcheck"]["test"][0] == "CMD", name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), (name, port)
    for name, service in our_services().items():
        assert service["user"] == "10001:10001", name
    writers = {n for n, s in our_services().items() if not s["volumes"][0].endswith(":ro")}
    assert writers == {"code", "daemon"}
    assert "--read-only" in tree["services"]["viewer"]["command"]
    assert "--read-only" not in tree["services"]["webserver"]["command"]
    assert tree["services"]["database"]["networks"] == ["inside"]
    assert tree["networks"]["inside"] == {"internal": True}


def test_the_code_location_is_reached_from_inside_alone() -> None:
    """It runs what it is asked to: no port is published, and who else leads out does not meet it."""
    services = compose()["services"]
    assert "ports" not in services["code"]
    assert "ports" not in services["daemon"]
    for network in set(services["code"]["networks"]) - {"inside"}:
        sharing = {name for name, service in services.items() if network in service["networks"]}
        assert sharing == {"code", "daemon"}
    for unit in UNITS:
        assert "grpc" not in unit.read_text(encoding="utf-8")


def test_nobody_but_root_reads_the_settings_with_the_password() -> None:
    """systemd reads them before it gives up root; readers of releases share the group ``pulse``."""
    example = (DEPLOY / "systemd" / "pulse.env.example").read_text(encoding="utf-8")
    assert "owned by root, mode 0600" in example
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        assert "EnvironmentFile=/etc/pulse/pulse.env" in text
        assert "UMask=0027" in text


def test_every_setting_that_is_read_is_given() -> None:
    """What dagster.yaml and workspace.yaml ask for, the image or compose gives."""
    asked = settings_read(read_yaml(DEPLOY / "dagster.yaml"))
    asked |= settings_read(read_yaml(DEPLOY / "workspace.yaml"))
    assert "PULSE_PG_PASSWORD" in asked
    for name, service in our_services().items():
        given = set(service["environment"]) | set(image_environment())
        assert asked <= given, (name, asked - given)
    documented = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for setting in asked:
        assert f"`{setting}`" in documented, setting


def test_no_secret_is_written_down() -> None:
    """Passwords are asked of the environment, and their absence is reported by name."""
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if "PASSWORD:" in line:
            assert re.search(r"PASSWORD: \$\{PULSE_PG_PASSWORD:\?set PULSE_PG_PASSWORD", line), line
    example = (DEPLOY / "systemd" / "pulse.env.example").read_text(encoding="utf-8")
    assert re.search(r"(?m)^#PULSE_PG_PASSWORD=$", example)
    assert ".env" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_a_server_differs_from_a_desk_in_its_state_alone() -> None:
    """One rule for queue, retention and the rest, whichever file Dagster reads."""
    server = read_yaml(DEPLOY / "dagster.yaml")
    desk = read_yaml(PROJECT / "dagster_home" / "dagster.yaml")
    assert {k: v for k, v in server.items() if k not in STATE_KEYS} == {
        k: v for k, v in desk.items() if k not in STATE_KEYS
    }


def test_the_image_copies_what_exists_and_is_not_root() -> None:
    """Each source of a COPY is there; the last USER has no rights."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    copied = copied_patterns()
    assert "dbt_project" in copied
    for pattern in copied:
        assert list(PROJECT.glob(pattern)), pattern
    assert re.findall(r"(?m)^USER (\S+)", text) == ["10001:10001"]
    assert not re.search(r"(?im)^ADD |curl|wget|PASSWORD|TOKEN", text)


def commands() -> list[tuple[str, list[str]]]:
    """Every command that compose and the units start or check with."""
    found = []
    for name, service in our_services().items():
        found.append((name, service["command"]))
        found.append((f"{name} health", service["healthcheck"]["test"][1:]))
    for unit in UNITS:
        (line,) = re.findall(r"(?m)^ExecStart=(.*)$", unit.read_text(encoding="utf-8"))
        found.append((unit.name, line.removeprefix("/opt/pulse/.venv/bin/").split()))
    return found


def command_of(program: EntryPoint) -> click.Command:
    """The click command behind a console script; Dagster's are wrapped in a function."""
    module = importlib.import_module(program.module)
    command = getattr(module, "cli", None) or getattr(module, program.attr)
    assert isinstance(command, click.Command)
    return command


@pytest.mark.slow
def test_commands_exist_and_know_their_options() -> None:
    """Each program is installed and its help lists every option that is given."""
    helps: dict[tuple[str, ...], str] = {}
    for name, words in commands():
        if words[:2] == ["python", "-c"]:
            compile(words[2], name, "exec")
            continue
        if words[:2] == ["python", "-m"]:
            assert words[2] == "orchestration.page", name
            words = ["dagster-webserver", *words[3:]]
        (program,) = entry_points(group="console_scripts", name=words[0])
        verbs = [word for word in words[1:] if re.fullmatch(r"[a-z][a-z-]+", word)]
        verbs = verbs[: {"dagster": 2, "dagster-daemon": 1, "pulse": 1}.get(words[0], 0)]
        key = (words[0], *verbs)
        if key not in helps:
            done = CliRunner().invoke(command_of(program), [*verbs, "--help"])
            assert done.exit_code == 0, (name, done.output)
            helps[key] = done.output
        for word in words:
            if word.startswith("--"):
                assert re.search(rf"(?m)^ .*{word}\b", helps[key]), (name, word)
    assert len(helps) >= 4


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_confined(unit: Path) -> None:
    """The options that keep a service from what it does not need."""
    text = unit.read_text(encoding="utf-8")
    for line in (
        "User=pulse",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ReadWritePaths=/var/lib/pulse",
        "ProtectHome=yes",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
    ):
        assert line in text.splitlines(), line
    # Either the page listens on this computer, or the service does not listen.
    assert "--host 127.0.0.1" in text or "dagster-daemon" in text


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_valid(unit: Path, tmp_path: Path) -> None:
    """systemd's own linter, with the project's folder in place of /opt/pulse."""
    text = unit.read_text(encoding="utf-8").replace(
        "/opt/pulse/.venv/bin", str(Path(sys.executable).parent)
    )
    (tmp_path / unit.name).write_text(text.replace("/opt/pulse", str(PROJECT)), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    reported = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
    assert reported == []
    assert done.returncode == 0, done.stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_little_exposed(unit: Path) -> None:
    """systemd's measure of exposure, from 0 to 10: below 3."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip(f"this systemd cannot judge a file: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout[-400:] + done.stderr
