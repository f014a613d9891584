"""What a run prints: one line per step that matters, with the seconds since it began."""

import logging
import sys

import dagster as dg

from orchestration.runs import line


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Seconds since the process began to log, and the words without Dagster's prefix."""
        words = record.dagster_meta["orig_message"]  # type: ignore[attr-defined]
        return line(record.relativeCreated / 1000, words)


# Marks a record of the log as a line of ours; Dagster logs words of its own beside its events.
OURS = {"pulse": True}


@dg.logger({}, "Progress in a few lines; the page has every event.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """Prints what our own code logs and none of Dagster's events."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Line())
    handler.addFilter(lambda record: hasattr(record, "pulse"))
    logger = logging.Logger("pulse.progress", logging.INFO)
    logger.addHandler(handler)
    return logger
