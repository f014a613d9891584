"""The runbook has an entry for each thing that can turn red, and for nothing else."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from click.testing import CliRunner

from orchestration.cli import main
from warehouse.contracts import rules
from warehouse.workspace import PROJECT

RUNBOOK = PROJECT / "docs" / "runbook.md"
# One entry for each family of dbt's tests: their names end in the model and column they are about.
DBT_FAMILIES = {
    "not_null",
    "unique",
    "accepted_values",
    "relationships",
    "assert",
    "model_contract",
}
WORD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
# Functions that make a fault and are given its code as their first or second argument.
SPEAKERS = {"say", "error", "fault"}


def sections() -> dict[str, str]:
    """The runbook's chapters, by title."""
    text = RUNBOOK.read_text(encoding="utf-8")
    parts = re.split(r"(?m)^## (.*)$", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def headings(chapter: str) -> set[str]:
    """The names in a chapter's headings."""
    return set(re.findall(r"(?m)^### `([a-z0-9_]+)`$", sections()[chapter]))


def declared_checks() -> set[str]:
    """Names of checks that the stations of the flow declare, read from their source."""
    found = set()
    for path in (PROJECT / "orchestration" / "defs").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "AssetCheckSpec"
                and node.args
            ):
                name = node.args[0]
                value = constants.get(name.id, name) if isinstance(name, ast.Name) else name
                if isinstance(value, ast.Constant):
                    found.add(str(value.value))
    return found


@cache
def modules() -> list[ast.Module]:
    """Every module of the project."""
    paths = (PROJECT.glob(f"{room}/**/*.py") for room in ("sources", "warehouse", "orchestration"))
    return [ast.parse(path.read_text(encoding="utf-8")) for each in paths for path in each]


def fault_codes() -> set[str]:
    """Codes of faults that the code raises, as far as they stand in it as words."""
    found = set()
    for tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            for keyword in node.keywords:
                if keyword.arg == "code":
                    found |= {
                        part.value
                        for part in ast.walk(keyword.value)
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    }
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in SPEAKERS and "code" not in {each.arg for each in node.keywords}:
                found |= {
                    word.value
                    for word in node.args[:2]
                    if isinstance(word, ast.Constant) and isinstance(word.value, str)
                }
    from sources import http

    found |= {code for code, _, _ in http._STATUS_ERRORS.values()}
    return {code for code in found if WORD.fullmatch(code)}


def told_codes() -> set[str]:
    """Codes in the first column of the runbook's tables of faults."""
    found = set()
    for title, text in sections().items():
        if title.startswith("Faults of"):
            for line in text.splitlines():
                if line.startswith("| `"):
                    found |= set(re.findall(r"`([a-z0-9_]+)`", line.split("|")[1]))
    return found


def test_every_check_has_an_entry_and_every_entry_a_check() -> None:
    """Stations, families of dbt's tests, and the rules of the gate."""
    stations = headings("Checks of landing") | headings("Checks of observations")
    assert stations == declared_checks()
    assert headings("Checks of the models") == DBT_FAMILIES
    assert headings("Checks of the gate") == {
        rule.name.removeprefix("context_").removeprefix("breakdowns_") for rule in rules()
    }


@pytest.mark.slow
def test_every_test_of_dbt_belongs_to_a_family() -> None:
    """No dbt test goes by a name that the runbook does not explain."""
    import json

    from orchestration.dbt import ensure_manifest

    manifest = json.loads(ensure_manifest().read_text(encoding="utf-8"))
    tests = [node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert tests
    strange = {
        name
        for name in tests
        if not any(name.removeprefix("source_").startswith(family) for family in DBT_FAMILIES)
    }
    assert strange == set()


def test_every_fault_has_a_row() -> None:
    """A new code of a fault is explained where a tired person looks for it."""
    codes = fault_codes()
    assert len(codes) > 100, "the codes are no longer found in the source"
    # A family of one word is its own explanation.
    assert codes - told_codes() == set(), "add these to docs/runbook.md"


def test_every_row_is_a_fault() -> None:
    """What the code no longer says is not explained."""
    literals: set[str] = set()
    for tree in modules():
        literals |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    assert {code for code in told_codes() if code not in literals} == set()


def test_commands_in_the_runbook_exist() -> None:
    """Each ``pulse …`` that it names is a command with those options."""
    text = RUNBOOK.read_text(encoding="utf-8")
    runner = CliRunner()
    named = set(re.findall(r"`pulse ([a-z-]+)((?: --[a-z-]+)*)", text))
    assert {"refresh", "land", "rollback", "diff", "releases"} <= {verb for verb, _ in named}
    for verb, options in named:
        done = runner.invoke(main, [verb, "--help"])
        assert done.exit_code == 0, verb
        for option in options.split():
            assert option in done.output, (verb, option)


def test_files_that_the_runbook_names_exist() -> None:
    """Seeds by name, paths below the project, and links."""
    text = RUNBOOK.read_text(encoding="utf-8")
    seeds = {path.name for path in (PROJECT / "dbt_project" / "seeds").glob("*.csv")}
    for name in re.findall(r"`([a-z_]+\.csv)`", text):
        assert name in seeds, name
    for name in re.findall(r"`((?:dbt_project|tests|sources|dagster_home|docs)/[^`<> ]+)`", text):
        assert (PROJECT / name).exists(), name
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (RUNBOOK.parent / link).exists(), link
