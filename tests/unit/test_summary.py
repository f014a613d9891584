"""What the terminal says of a refresh that stopped."""

from __future__ import annotations

import pytest
from dagster._utils.error import SerializableErrorInfo

from orchestration.summary import _words


def raised(
    cls_name: str, message: str, cause: SerializableErrorInfo | None = None
) -> SerializableErrorInfo:
    return SerializableErrorInfo(message, [], cls_name, cause=cause)


OURS = raised("WorkspaceError", "warehouse.workspace.WorkspaceError: file x: cannot be read.\n")
FAILURE = raised("Failure", "dagster._core.definitions.events.Failure: dbt failed: see above")
FOREIGN = raised("KeyError", "KeyError: 'value'\n")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OURS, "file x: cannot be read."),
        (FAILURE, "dbt failed: see above"),
        (FOREIGN, "KeyError: 'value'"),
        (
            raised("DagsterExecutionStepError", "dagster: step failed", OURS),
            "file x: cannot be read.",
        ),
        (raised("DagsterExecutionStepError", "dagster: step failed", FOREIGN), "KeyError: 'value'"),
        (raised("Failure", "Failure: the step stopped", OURS), "file x: cannot be read."),
    ],
)
def test_the_error_with_the_advice_is_shown_without_its_class(
    error: SerializableErrorInfo, words: str
) -> None:
    assert _words(error) == words
