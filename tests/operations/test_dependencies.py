"""What Pulse is made of: open licences, pins that agree, no known vulnerability.

Licences are read from the metadata of what is installed; vulnerabilities are asked of the package
registry's advisories where it offers them, and the test says so where it does not.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import Distribution, distributions, metadata
from pathlib import Path

import pytest

from warehouse.workspace import PROJECT

# SPDX names of open licences that put no condition on what we publish.
OPEN = {
    *("0BSD", "Apache-2.0", "Artistic-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0"),
    *("CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib", "Unlicense"),
}
# The words of older metadata, and what they mean.
WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Artistic License": "Artistic-2.0",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
# Packages whose licence is not on the list, or not in their metadata, and why they are used.
ACCEPTED = {
    "psycopg2-binary": "LGPL; the server's database driver, used unchanged and not shipped",
    "yamllint": "GPL; a linter that is run, nothing of it is imported or shipped",
    "axe-playwright-python": "its metadata names none, its licence file is MIT; tests only",
    "samplics": "its metadata names none, its description says MIT; an optional part",
}
# Advisories that do not touch how Pulse uses the package, by their id, with the reason.
ACCEPTED_ADVISORIES: dict[str, str] = {}


def licences(package: Distribution) -> str:
    """An SPDX expression of what the metadata says; empty where it says nothing."""
    reported = package.metadata
    expression = str(reported.get("License-Expression") or "")
    if expression:
        return expression
    named = [
        line.split("::")[-1].strip()
        for line in reported.get_all("Classifier") or []
        if line.startswith("License ::") and line.count("::") > 1
    ]
    if named:
        # Several classifiers mean that the user may choose.
        return " OR ".join(WORDS.get(name, name) for name in named)
    first = str(reported.get("License") or "").strip().splitlines()[:1]
    return WORDS.get(first[0], first[0]) if first else ""


def is_open(expression: str) -> bool:
    """Whether an SPDX expression can be met by licences on the list alone.

    ``OR`` lets the user choose, ``AND`` binds to both, brackets group; nothing else is read.
    """
    expression = expression.strip()
    for joint, meets in ((" OR ", any), (" AND ", all)):
        parts = _split(expression, joint)
        if len(parts) > 1:
            return meets(is_open(part) for part in parts)
    if expression.startswith("(") and expression.endswith(")") and "::" not in expression:
        return is_open(expression[1:-1])
    return WORDS.get(expression, expression) in OPEN


def _split(expression: str, joint: str) -> list[str]:
    """Split at a joint that is in no brackets."""
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(expression):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and expression.startswith(joint, index):
            parts.append(expression[start:index])
            start = index + len(joint)
    return [*parts, expression[start:]]


def plain(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    """Versions of a requirements file, by name; a name pinned twice must be under conditions."""
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", line)
        if match:
            found.setdefault(plain(match[1]), match[2])
    return found


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR GPL-2.0-only)", True),
        ("(MIT AND GPL-3.0-only) OR GPL-2.0-only", False),
        ("", False),
    ],
)
def test_expressions_are_read(expression: str, answer: bool) -> None:
    """A choice needs one open licence, a conjunction needs all."""
    assert is_open(expression) is answer


def test_every_dependency_has_an_open_licence() -> None:
    """Everything that the lock files name and that is installed here."""
    locked = pins(PROJECT / "requirements.txt") | pins(PROJECT / "requirements-dev.txt")
    installed = {plain(package.metadata["Name"]): package for package in distributions()}
    looked_at = sorted(locked.keys() & installed.keys())
    assert len(looked_at) > 100
    closed = {
        name: licences(installed[name]) or "nothing said"
        for name in looked_at
        if name not in ACCEPTED and not is_open(licences(installed[name]))
    }
    assert closed == {}, "replace them, or accept them with a reason in ACCEPTED"


def test_what_runs_is_open_without_exception() -> None:
    """The exceptions are for tools and the optional server, not for what every user installs."""
    assert ACCEPTED.keys() & pins(PROJECT / "requirements.txt").keys() == set()


LOCKS = tuple(f"requirements{part}.txt" for part in ("", "-server", "-dev", "-spark"))


def test_the_locks_agree_and_name_no_address() -> None:
    """Each is more of the one before; a lock with an index in it works in one place alone."""
    smaller: dict[str, str] = {}
    for name in LOCKS:
        larger = pins(PROJECT / name)
        assert {package: larger.get(package) for package in smaller} == smaller
        smaller = larger
        text = (PROJECT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes(name: str) -> None:
    """And every installation asks for them: another file under the same version is refused."""
    text = (PROJECT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) > 100
    assert [
        line for line in lines if not re.search(r"==\S.* --hash=sha256:[0-9a-f]{64}", line)
    ] == []
    for place in ("Makefile", "deploy/Containerfile", "deploy/README.md"):
        for line in (PROJECT / place).read_text(encoding="utf-8").splitlines():
            assert "--require-hashes" in line or "-r requirements" not in line, (place, line)


@pytest.mark.xdist_group("grouped")
def test_pytest_gives_xdist_the_group_of_a_test(request: pytest.FixtureRequest) -> None:
    """At the end of its id; where it is not there, each worker makes what a group shares anew."""
    if getattr(request.config.option, "loadgroup", False):
        assert request.node.nodeid.endswith("@grouped")


def test_the_project_says_its_licence() -> None:
    """In the file and in the package's metadata."""
    assert (PROJECT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert metadata("pulse-barometers")["License-Expression"] == "MIT"


@pytest.mark.slow
def test_no_dependency_has_a_known_vulnerability() -> None:
    """pip-audit over the pins of what runs; skipped, saying so, where no advisory can be had."""
    pytest.importorskip("pip_audit")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip_audit",
            "-r",
            str(PROJECT / "requirements.txt"),
            "--no-deps",
            "--disable-pip",
            "--progress-spinner",
            "off",
            "--timeout",
            "10",
            "--format",
            "json",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        pytest.skip(f"no advisory service can be reached: {done.stderr.strip()[-300:]}")
    audited = [package for package in packages if "skip_reason" not in package]
    print(f"{len(audited)} of {len(packages)} packages could be looked up")
    if not audited:
        pytest.skip(f"the registry offers no advisories: {packages[0].get('skip_reason')}")
    found = [
        f"{package['name']} {package['version']}: {advisory['id']}, fixed in "
        f"{', '.join(advisory['fix_versions']) or 'no version yet'}"
        for package in audited
        for advisory in package["vulns"]
        if advisory["id"] not in ACCEPTED_ADVISORIES
    ]
    assert found == []
