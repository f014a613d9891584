"""Pages of the documentation that claim something: what they link to exists and says it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warehouse.workspace import PROJECT

PAGES = sorted(
    [*(PROJECT / "docs").rglob("*.md"), *PROJECT.glob("*.md"), *(PROJECT / "deploy").glob("*.md")]
)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def anchors(path: Path) -> set[str]:
    """The places of a page that a link can lead to."""
    found = set()
    for heading in re.findall(r"(?m)^#+ (.*)$", path.read_text(encoding="utf-8")):
        plain = re.sub(r"[^\w\- ]", "", heading.lower()).strip()
        found.add(plain.replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Files exist, and so do the headings in them."""
    for _, target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), target


def test_every_threat_is_answered_by_a_test_that_exists() -> None:
    """Each row of a table names tests, and each of them is defined in the file it links to."""
    page = PROJECT / "docs" / "threats.md"
    rows = [
        line
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| could", "|---"))
    ]
    assert len(rows) > 25
    unanswered = []
    for row in rows:
        tests = LINK.findall(row)
        if not tests:
            unanswered.append(row.split("|")[1].strip())
        for name, target in tests:
            source = (page.parent / target).read_text(encoding="utf-8")
            assert f"def {name}(" in source, name
    assert unanswered == ["a power cut"], "said to be untested in the row itself"


def test_every_item_of_the_checklists_has_evidence() -> None:
    """What is said to be met links to something; the counts at the end are those of the tables."""
    page = PROJECT / "docs" / "reproducible_pipeline.md"
    text = page.read_text(encoding="utf-8")
    counts = []
    for part in re.split(r"(?m)^## ", text)[1:4]:
        rows = [line for line in part.splitlines() if re.match(r"\| .*\| (met|team) \|", line)]
        for row in rows:
            if "| met |" in row:
                assert LINK.search(row) or "git" in row, row
        met = sum("| met |" in row for row in rows)
        counts.append((met, len(rows)))
        for level in ("Silver", "Gold"):
            assert not [row for row in rows if row.startswith(f"| {level}") and "| team |" in row]
    reported = [(int(met), int(of)) for met, of in re.findall(r"(\d+) of\s+(\d+) met", text)]
    assert reported == counts


def test_decisions_are_listed_and_have_their_three_parts() -> None:
    """Context, decision, consequence; and a line in the list."""
    folder = PROJECT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(folder.glob("[0-9]*.md"))
    assert records
    for number, record in enumerate(records, start=1):
        assert record.name.startswith(f"{number:04d}-"), record.name
        text = record.read_text(encoding="utf-8")
        assert re.findall(r"(?m)^\*\*(\w+)\.\*\*", text) == ["Context", "Decision", "Consequence"]
        (title,) = re.findall(r"(?m)^# (.*)$", text)
        assert f"[{number:04d}]({record.name}) | {title}" in listed


def test_the_changelog_leads_with_what_is_to_come_or_the_version() -> None:
    """The newest heading is the version of the package, or what is not released yet."""
    text = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.findall(r"(?m)^## (.*)$", text)[0]
    version = re.findall(
        r'(?m)^version = "(.*)"$', (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    )[0]
    assert first == "Unreleased" or first.startswith(version)
