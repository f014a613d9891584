"""The calendar of releases, and an Atom feed of what each release of Pulse changed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from xml.etree import ElementTree

from warehouse.connection import Row

_ATOM = "http://www.w3.org/2005/Atom"
_FEED_ID = "urn:pulse-barometers:releases"


def calendar_rows(
    datasets: Sequence[Row], editions: Sequence[Row], today: date | None
) -> list[Row]:
    """Per dataset: its newest edition held, when the next is expected, and whether it is overdue.

    ``today``: the day on which the release was made; None says nothing about what is overdue.
    """
    rows = []
    for dataset in datasets:
        held = [
            edition
            for edition in editions
            if edition["dataset"] == dataset["dataset"] and edition["state"] == "accepted"
        ]
        held.sort(key=lambda edition: str(edition["period_end"] or edition["edition"]))
        expected = dataset["next_release_on"]
        overdue = expected is not None and today is not None and expected < today
        rows.append({**dataset, "newest": held[-1] if held else None, "overdue": overdue})
    return sorted(
        rows, key=lambda row: (row["next_release_on"] is None, str(row["next_release_on"]))
    )


def feed(tables: Mapping[str, Sequence[Row]], title: str) -> str:
    """An Atom 1.0 feed with one entry per release, newest first.

    ``tables``: ``releases`` and ``changed`` as in ``meta``.
    """
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")

    def add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> None:
        element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
        element.text = text or None

    releases = sorted(tables["releases"], key=lambda row: row["release"], reverse=True)
    add(root, "title", title)
    add(root, "id", _FEED_ID)
    add(root, "updated", _moment(releases[0]["made_at"]))
    add(root, "link", rel="alternate", type="text/html", href="changes.html")
    author = ElementTree.SubElement(root, f"{{{_ATOM}}}author")
    add(author, "name", "Pulse")
    for number, release in enumerate(releases):
        entry = ElementTree.SubElement(root, f"{{{_ATOM}}}entry")
        add(entry, "title", f"Release {release['release']}")
        add(entry, "id", f"{_FEED_ID}:{release['release']}")
        add(entry, "updated", _moment(release["made_at"]))
        add(entry, "link", rel="alternate", type="text/html", href="changes.html")
        changed = len(tables["changed"])
        add(
            entry,
            "summary",
            f"{changed} figures differ from the release before."
            if number == 0
            else "An earlier release.",
        )
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(
        root, encoding="unicode"
    )


def _moment(value: datetime | str) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
