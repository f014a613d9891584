"""What the terminal says of a refresh that stopped."""

from __future__ import annotations

import pytest

from orchestration.summary import _said


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "warehouse.workspace.WorkspaceError: file x: cannot be read.\n",
            "file x: cannot be read.",
        ),
        (
            "dagster._core.definitions.events.Failure: dbt build failed: see above",
            "dbt build failed: see above",
        ),
        ("KeyError: 'value'", "KeyError: 'value'"),
        ("words alone", "words alone"),
    ],
)
def test_an_error_for_people_is_told_without_its_class(message: str, told: str) -> None:
    assert _said(message) == told
