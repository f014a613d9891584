"""Examination: the bytes of a file become rows that keep their contract, or an error with every fault.

Belongs here: the one way from bytes to accepted rows (parser, known corrections, contract), used where
a file arrives and where a landed file is read. Does not belong here: storing a file
(``sources.arrival``) or choosing between files (``sources.selection``).
"""

import pandas as pd

from sources.areas import AreaBook
from sources.catalogue import Correction, Dataset, Edition
from sources.contract import Finding, cells, check_rows
from sources.errors import SHOWN_FAULTS, ContractError, ParseError, PulseError, listed
from sources.parsers import PARSERS, Note, ParseContext, Parsed


def examine(
    content: bytes,
    file_name: str,
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    *,
    previous: pd.DataFrame | None = None,
) -> Parsed:
    """Parse, correct and check a file, once.

    ``previous``: accepted rows of earlier editions of the dataset. Raises ParseError where the file
    cannot be read (also "parser_failed" where the parser itself fails, "no_parser" where the dataset
    has none) and ContractError that lists every rule the rows break.
    """
    place = {"dataset": dataset.code, "edition": edition.edition, "file": file_name}
    if dataset.parser is None or dataset.parser not in PARSERS:
        raise ParseError(
            "there is no parser for the files of this dataset",
            code="no_parser",
            todo=f"name one under parser in sources/catalogue/{dataset.code}.yaml",
            **place,
        )
    context = ParseContext(dataset=dataset, edition=edition, areas=areas, file_name=file_name)
    try:
        parsed = PARSERS[dataset.parser](content, context)
    except PulseError:
        raise
    except Exception as error:
        # A parser that fails in a way nobody foresaw must cost its own edition, not the refresh.
        raise ParseError(
            f"the parser {dataset.parser} failed: {type(error).__name__}: {error}",
            code="parser_failed",
            todo="report the file: the parser has a fault, or the layout is new",
            **place,
        ) from error
    rows, corrected = correct(parsed.rows, dataset, edition)
    found = check(rows, dataset, edition, areas, file_name=file_name, previous=previous)
    return Parsed(rows, (*parsed.notes, *corrected), (*parsed.findings, *found))


def check(
    rows: pd.DataFrame,
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    *,
    file_name: str,
    previous: pd.DataFrame | None = None,
) -> tuple[Finding, ...]:
    """The contract's warnings and notes on the rows. Raises ContractError that lists every error."""
    findings = check_rows(rows, dataset, edition, areas, previous=previous)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        here = f"{dataset.code} {edition.edition}: "
        lacking = all(each.code == "missing_area" for each in errors)
        faults = [f"{each.code}: {each.message.removeprefix(here).rstrip('.')}" for each in errors]
        raise ContractError(
            str(listed(faults, SHOWN_FAULTS, "; ")),
            code=errors[0].code,
            dataset=dataset.code,
            edition=edition.edition,
            file=file_name,
            todo="hand in the publisher's file of all areas, not of some of them"
            if lacking
            else "compare the cells named with the publisher's file; if the file is right, correct "
            "the rule or the catalogue",
            details=[
                fault if cases is None else f"{fault}. All: {cells(cases, len(cases))}"
                for fault, cases in zip(faults, (e.failure_cases for e in errors), strict=True)
            ],
        )
    # The rows at fault are named in the message; nothing needs them as a table from here on.
    return tuple(Finding(each.code, each.severity, each.message, each.where) for each in findings)


def correct(
    rows: pd.DataFrame, dataset: Dataset, edition: Edition
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """The rows without the known faults of the publisher's file, and a note for each correction.

    A correction is applied only where its fault is there; once the publisher has corrected the file,
    the note says that it is no longer needed.
    """
    notes = []
    units = {measure.code: measure.unit for measure in dataset.measures}
    for correction in dataset.corrections:
        if correction.edition not in (None, edition.edition) or rows.empty:
            continue
        chosen = pd.Series(True, index=rows.index)
        if correction.measure is not None:
            chosen &= rows["measure"].eq(correction.measure).fillna(False).astype(bool)
        if correction.level is not None:
            chosen &= rows["area_level"].eq(correction.level).fillna(False).astype(bool)
        what = " ".join(part for part in (correction.measure, correction.level) if part)
        bounds = ["lower_95", "upper_95"]
        wanted = rows.loc[chosen, "measure"].map(units).astype("string")
        if _fault_is_there(rows[chosen], correction, wanted):
            rows = rows.copy()
            if correction.action == "use_unit":
                rows.loc[chosen, "unit"] = wanted
                done = f"unit of {int(chosen.sum())} rows set to {', '.join(sorted(set(wanted)))}"
            else:
                rows.loc[chosen, bounds] = float("nan")
                done = f"bounds of {int(chosen.sum())} rows left out"
            notes.append(Note("correction_applied", f"{what}: {done}. {correction.reason}"))
        elif correction.action == "drop_interval" and rows.loc[chosen, bounds].notna().any(
            axis=None
        ):
            message = (
                f"{what}: the fault is gone, so nothing was corrected; remove the correction from "
                f"sources/catalogue/{dataset.code}.yaml"
            )
            notes.append(Note("correction_not_needed", message))
    return rows, tuple(notes)


def _fault_is_there(rows: pd.DataFrame, correction: Correction, units: pd.Series) -> bool:
    if correction.expect == "wrong_unit":
        return bool(rows["unit"].ne(units).any())
    if correction.expect == "zero_width_interval":
        return bool((rows["lower_95"] == rows["upper_95"]).any())
    below = rows["value"] < rows["lower_95"]
    return bool((below | (rows["value"] > rows["upper_95"])).any())
