"""What the community and the councils say, for the pages: selected from the marts, never computed."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

from warehouse.connection import Row
from warehouse.writers.read import Area, Goal, Model, grouped

KINDS: Final = {
    "initiative": "Initiative",
    "case_study": "Case study",
    "evaluation": "Evaluation",
    "quotation": "What was said, paraphrased",
    "participatory_finding": "Finding of participatory work",
    "attendance_figure": "Attendance",
    "persona": "Fictional",
}


class Community:
    """Initiatives and evidence by goal and area, each once with all of its areas."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.outcomes = model.tables["outcomes"]
        self.prompts = list(grouped(model.tables["prompts"], "title").items())
        self._worse = grouped(model.tables["pathways"], "area_code")
        self.entries = sorted(
            [
                *_once(model.tables["initiatives"], "initiative_id"),
                *_once(model.tables["evidence"], "evidence_id"),
            ],
            key=lambda entry: (entry["kind"] != "initiative", entry["title"]),
        )

    def of_goal(self, goal: Goal) -> list[Row]:
        """Entries that serve a goal."""
        return [entry for entry in self.entries if goal.id in entry["goal_list"]]

    def of_area(self, area: Area, goal: Goal | None = None) -> list[Row]:
        """Entries about an area, about its members, or about what it belongs to in the region."""
        wider = {area.code, self._model.parents.get(area.code, ""), area.region_code or ""}
        wider |= {member.code for member in self._model.members(area)}
        return [
            entry
            for entry in self.entries
            if wider & set(entry["area_list"]) and (goal is None or goal.id in entry["goal_list"])
        ]

    def worse(self, area: Area, goal: Goal) -> list[Row]:
        """Barometers of a goal that are worse than England or have got worse."""
        rows = self._worse.get(area.code, ())
        return [row for row in rows if row["barometer_id"] in {i.id for i in goal.indicators}]

    def surveys(self, area: Area) -> list[tuple[str, list[Row]]]:
        """Results of local surveys about an area or its wards, by title of the survey."""
        rows = self._model.tables["local_surveys"]
        about = [r for r in rows if area.code in (r["area_code"], r["survey_area_code"])]
        return list(grouped(about, "title").items())

    def of_outcome(self, outcome: Row) -> list[Row]:
        """The items that bear on an outcome."""
        wanted = (outcome["evidence_ids"] or "").split("; ")
        return [entry for entry in self.entries if entry["id"] in wanted]

    def outcomes_of(self, goal: Goal, kind: str) -> list[Row]:
        """The outcomes of a goal that residents think, feel or do."""
        return [r for r in self.outcomes if (r["goal_id"], r["kind"]) == (goal.id, kind)]

    def filters(self) -> list[dict[str, Any]]:
        """What entries can be searched by: a name, a title, and its values with titles."""
        used = {entry["kind"] for entry in self.entries}
        filters = (
            ("goal", "Goal", [(goal.id, goal.title) for goal in self._model.goals]),
            ("area", "Area", self._by_title("area_list", "area_names")),
            ("group", "Group of people", self._by_title("group_list", "group_names")),
            ("kind", "Kind", [(kind, title) for kind, title in KINDS.items() if kind in used]),
        )
        return [{"name": name, "title": title, "values": each} for name, title, each in filters]

    def _by_title(self, codes: str, titles: str) -> list[tuple[str, str]]:
        pairs = (zip(entry[codes], entry[titles], strict=True) for entry in self.entries)
        return sorted(dict(chain.from_iterable(pairs)).items(), key=lambda pair: pair[1])


def _once(rows: Sequence[Row], key: str) -> Iterable[Row]:
    """Rows per area as one per entry, with ``area_list`` and the other lists that pages filter by."""
    found: dict[str, Row] = {}
    for row in rows:
        entry = found.setdefault(
            row[key],
            {
                "kind": "initiative",
                "title": row.get("name"),
                **row,
                "id": row[key],
                "goal_list": row["goals"].split("; "),
                "group_list": row["target_groups"].split("; ") if row["target_groups"] else [],
                "group_names": (row["target_group_titles"] or "").split("; "),
                "area_list": [],
                "area_names": [],
            },
        )
        entry["area_list"].append(row["area_code"])
        entry["area_names"].append(row["area_name"])
    return found.values()
