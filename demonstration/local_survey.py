"""A made-up survey of a made-up council department, for the demonstration and for tests."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import yaml

WARDS = (
    ("E05999901", "Made-up ward A"),
    ("E05999902", "Made-up ward B"),
    ("E05999903", "Made-up ward C"),
)
QUESTIONS: tuple[dict[str, Any], ...] = (
    {
        "id": "trust",
        "wording": "Thinking about the people who live in this neighbourhood, to what extent do you "
        "believe they can be trusted?",
        "response": "Many of the people can be trusted",
        "barometer": "trust_in_neighbours",
        "wording_is": "same",
    },
    {
        "id": "attractive",
        "wording": "How attractive is the area within a walk of your home?",
        "response": "Very or fairly attractive",
        "barometer": "area_attractiveness",
        "wording_is": "similar",
        "note": "It asks about the area within a walk, not the local area",
    },
    {
        "id": "safe_after_dark",
        "wording": "How safe do you feel in your neighbourhood after dark?",
        "response": "Very or fairly safe",
    },
)
SURVEY: dict[str, Any] = {
    "id": "made_up_residents_survey",
    "title": "Residents' survey (made up)",
    "organisation": "A made-up council",
    "area": "E08000030",
    "starts": "2024-02-01",
    "ends": "2024-03-31",
    "mode": "online_and_paper",
    "weighting": "By age, sex and ward",
    "design_effect": 1.4,
    "source": "Made up for the demonstration",
    "questions": list(QUESTIONS),
}


def write_local_survey(folder: Path, seed: int) -> Path:
    """Write ``survey.yaml`` and ``results.csv`` into a new folder. Equal seeds give equal files."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(seed)
    (folder / "survey.yaml").write_text(
        yaml.safe_dump(SURVEY, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    with (folder / "results.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            ["question", "area_code", "area_name", "breakdown", "category", "value", "base"]
        )
        for question in QUESTIONS:
            share = draw.uniform(25, 75)
            people = [(SURVEY["area"], "", "all", "all", 1200)]
            people += [(SURVEY["area"], "", "sex", sex, 600) for sex in ("Female", "Male")]
            people += [
                (code, name, "all", "all", base)
                for (code, name), base in zip(WARDS, (480, 410, 62), strict=True)
            ]
            for code, name, breakdown, category, base in people:
                value = float(np.clip(share + draw.normal(0, 4), 0, 100))
                writer.writerow(
                    [question["id"], code, name, breakdown, category, f"{value:.1f}", base]
                )
    return folder
