"""Transcribing: a publisher file becomes the project's own table of cited figures.

Belongs here: turning the rows that a parser reads into the files under ``sources/bundled``, so that
anyone who has the publisher file can make them again and compare. ``sources/bundled/recipes.yaml``
says for each bundled file what it was read from and how it is cited. Does not belong here: reading
publisher files (``sources.parsers``), or choosing between bundled and landed figures
(``sources.selection``). Figures taken from running text have no file to read and no recipe; they are
written by hand, and cited.

    python -m tests.transcribe smc_youth_labour_market 2025 CI2-2.0-labour-market-....csv

A dataset whose files print the periods of every row has one bundled file of all editions, made from a
folder of the publisher's files:

    python -m tests.transcribe ons_local_indicators all explore-local-statistics-data/
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from sources.areas import AreaBook
from sources.catalogue import Catalogue, Dataset, Edition, load_catalogue
from sources.errors import CatalogueError, PulseError
from sources.examination import correct
from sources.observation import MEMBERSHIP_COLUMNS, OBSERVATION_COLUMNS
from sources.parsers import PARSERS, ParseContext
from sources.parsers.ons_local_statistics import rows_by_year
from warehouse.workspace import PROJECT, SEEDS

BUNDLED = PROJECT / "sources" / "bundled"

REVISION = "bundled"

_CARRIED = (
    *("edition", "measure", "area_code", "area_name", "area_level", "period_start", "period_end"),
    *("value", "lower_95", "upper_95", "status", "status_symbol"),
)
BUNDLED_COLUMNS = tuple(
    column for column in OBSERVATION_COLUMNS if column not in ("breakdown", "category")
)
"""Every bundled figure is of everybody."""
_CELL_COLUMNS = ("file_sha256", "sheet", "row_number", "column_letter")
_WHOLE_COLUMNS = frozenset({"base", "group_number", "row_number"})


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Remark(_Model):
    """A sentence that the citation of some rows carries, or limits that are not carried.

    A row is meant where every field given matches it. ``drop_interval`` leaves both limits out; the
    sentence must then say why.
    """

    measure: str | None = None
    level: str | None = None
    areas: tuple[str, ...] = ()
    text: str
    drop_interval: bool = False

    def meant(self, row: Mapping[str, Any]) -> bool:
        return (
            (self.measure is None or row["measure"] == self.measure)
            and (self.level is None or row["area_level"] == self.level)
            and (not self.areas or row["area_code"] in self.areas)
        )


class Recipe(_Model):
    """How one bundled file is made.

    ``read_as`` names the catalogue entry whose parser reads the file, where that is a copy by another
    publisher; ``citation`` is a format string of ``{file}`` and ``{line}``; ``levels`` and
    ``code_prefix`` choose the rows that are carried (empty: all).

    ``files`` is for a dataset that has one bundled file of all editions: the names, without the ending,
    of the publisher's data sets that it is read from.

    ``series`` is for a file that holds one series through many editions, with the columns measure,
    edition, area_code, percent and read_in: it maps the file's label of a measure to the catalogue's
    code, and the citation may name {read_in}, the copy that the figure was read in.
    """

    dataset: str
    edition: str
    file_name: str = ""
    files: tuple[str, ...] = ()
    citation: str
    read_as: str | None = None
    levels: tuple[str, ...] = ()
    code_prefix: str = ""
    remarks: tuple[Remark, ...] = ()
    series: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _cites_the_line(self) -> Recipe:
        if "{line}" not in self.citation or "{file}" not in self.citation:
            raise ValueError("the citation does not name {file} and {line}")
        return self


def load_recipes(path: Path | None = None) -> tuple[Recipe, ...]:
    """The recipes, in order. Raises CatalogueError(code="bad_recipe") for what is not one."""
    file = path or BUNDLED / "recipes.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        recipes = tuple(Recipe.model_validate(entry) for entry in content["recipes"])
    except (OSError, yaml.YAMLError, ValidationError, KeyError, TypeError) as error:
        raise CatalogueError(
            " ".join(str(error).split()),
            code="bad_recipe",
            file=file.name,
            expected="a list of recipes; tests/transcribe.py describes their fields",
        ) from None
    return recipes


def find_recipe(dataset: str, edition: str, recipes: tuple[Recipe, ...] | None = None) -> Recipe:
    """Raises CatalogueError(code="no_recipe") that lists what can be transcribed."""
    known = load_recipes() if recipes is None else recipes
    for recipe in known:
        if (recipe.dataset, recipe.edition) == (dataset, edition):
            return recipe
    raise CatalogueError(
        "nothing says how this edition is transcribed",
        code="no_recipe",
        dataset=dataset,
        edition=edition,
        expected="; ".join(f"{recipe.dataset} {recipe.edition}" for recipe in known),
        todo="add a recipe to sources/bundled/recipes.yaml",
    )


def transcribe(
    recipe: Recipe,
    content: bytes,
    *,
    catalogue: Catalogue,
    areas: AreaBook,
    file_name: str | None = None,
) -> pd.DataFrame:
    """The rows of the bundled file: as parsed, cited by file and line, origin ``transcribed``.

    Columns are ``BUNDLED_COLUMNS`` or ``MEMBERSHIP_COLUMNS``; rows are in the order of the file.
    The columns that lead to a cell of a landed file are empty: the citation does that instead. Raises
    what the parser raises, and CatalogueError where a dataset, edition or parser is not listed.
    """
    target = catalogue.dataset(recipe.dataset)
    edition = target.edition(recipe.edition)
    if recipe.series:
        rows = _of_series(recipe, target, edition, content, areas)
    else:
        reader = catalogue.dataset(recipe.read_as) if recipe.read_as else target
        parsed = _parse(
            reader, reader.edition(recipe.edition), content, areas, file_name or recipe.file_name
        )
        rows = parsed.sort_values("row_number", kind="stable").to_dict("records")
    kept = [
        _cited(row, recipe, edition)
        for row in rows
        if (not recipe.levels or row.get("area_level") in recipe.levels)
        and str(row.get("area_code", row.get("member_code"))).startswith(recipe.code_prefix)
    ]
    columns = MEMBERSHIP_COLUMNS if target.shape == "memberships" else BUNDLED_COLUMNS
    return pd.DataFrame(kept, columns=list(columns), dtype="object")


def transcribe_all(
    recipe: Recipe, folder: Path, *, catalogue: Catalogue, areas: AreaBook
) -> pa.Table:
    """The bundled file of every edition of a dataset whose files print the period of each row.

    ``folder`` holds the publisher's files, each at its top or in a folder of its own name. The columns
    are those of an observation that are not the same in all rows, with file and line in place of the
    citation. Raises what the parser raises, and CatalogueError(code="no_file") for a file that is not
    there.
    """
    dataset = catalogue.dataset(recipe.dataset)
    frames = []
    for name in recipe.files:
        found = [path for path in sorted(folder.rglob(f"{name}.csv")) if path.is_file()]
        if not found:
            raise CatalogueError(
                "a file of the recipe is not in the folder",
                code="no_file",
                dataset=dataset.code,
                file=f"{name}.csv",
                todo="give the folder of the publisher's repository",
            )
        years = rows_by_year(found[0].read_bytes())
        for edition in dataset.editions:
            part = years.get(edition.period_start.year)
            if part is None:
                continue
            parsed = _parse(dataset, edition, part.content, areas, found[0].name)
            rows, _ = correct(parsed, dataset, edition)
            number = [part.lines[line - 1] for line in rows["row_number"]]
            frames.append(rows.assign(edition=edition.edition, file=name, line=number))
    whole = pd.concat(frames).sort_values(["file", "line"], kind="stable")
    table = pa.Table.from_pandas(
        whole[[*_CARRIED, "file", "line"]].astype({"line": "int32"}), preserve_index=False
    )
    return table.replace_schema_metadata({"citation": recipe.citation})


def _parse(
    dataset: Dataset, edition: Edition, content: bytes, areas: AreaBook, file_name: str
) -> pd.DataFrame:
    if dataset.parser is None:
        raise CatalogueError(
            "the dataset has no parser",
            code="no_parser",
            dataset=dataset.code,
            edition=edition.edition,
            todo="write its figures into sources/bundled by hand, each with its citation",
        )
    context = ParseContext(dataset=dataset, edition=edition, areas=areas, file_name=file_name)
    return PARSERS[dataset.parser](content, context).rows


def _of_series(
    recipe: Recipe, dataset: Dataset, edition: Edition, content: bytes, areas: AreaBook
) -> list[dict[Any, Any]]:
    lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return [
        {
            "measure": recipe.series[line["measure"]],
            "area_code": line["area_code"],
            "area_name": areas.name(line["area_code"]),
            "area_level": areas.level(line["area_code"]),
            "period_start": pd.Timestamp(edition.period_start),
            "period_end": pd.Timestamp(edition.period_end),
            "unit": dataset.measure(recipe.series[line["measure"]]).unit,
            "value": float(line["percent"]),
            "status": "published",
            "row_number": number,
            "read_in": line["read_in"],
        }
        for number, line in enumerate(lines, start=2)
        if line["measure"] in recipe.series and line["edition"] == edition.edition
    ]


def _cited(row: dict[Any, Any], recipe: Recipe, edition: Edition) -> dict[str, Any]:
    values: dict[str, Any] = {str(key): value for key, value in row.items()}
    citation = recipe.citation.format(
        file=recipe.file_name, line=values["row_number"], read_in=values.get("read_in")
    )
    for remark in recipe.remarks:
        if remark.meant(values):
            citation = f"{citation} {remark.text}"
            if remark.drop_interval:
                values["lower_95"] = values["upper_95"] = None
    if recipe.read_as:
        # A copy gives a nominal year; the fieldwork is what the catalogue says of the survey.
        values["period_start"] = pd.Timestamp(edition.period_start)
        values["period_end"] = pd.Timestamp(edition.period_end)
    values.update(dict.fromkeys(_CELL_COLUMNS))
    values.update(
        dataset=recipe.dataset,
        edition=recipe.edition,
        revision=REVISION,
        origin="transcribed",
        citation=citation,
    )
    return values


def _by_hand(recipe: Recipe, path: Path) -> pd.DataFrame:
    """The rows of a bundled file that its recipe does not make: figures of running text."""
    if not path.is_file():
        return pd.DataFrame(columns=list(BUNDLED_COLUMNS))
    held = pd.read_csv(path, dtype="object", keep_default_na=False, encoding="utf-8")
    return held[~held["measure"].isin(recipe.series.values())]


def to_csv(frame: pd.DataFrame) -> str:
    """The bundled form: header, LF, an empty field for no value, numbers as short as they are exact."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False, name=None):
        writer.writerow(
            [_field(value, column) for value, column in zip(row, frame.columns, strict=True)]
        )
    return text.getvalue()


def _field(value: Any, column: str) -> str:
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() or column in _WHOLE_COLUMNS else repr(value)
    return str(value)


@click.command(help="Make one bundled file again from the publisher file it was read from.")
@click.argument("dataset")
@click.argument("edition")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--write", is_flag=True, help="Write it under sources/bundled/<dataset>.")
def main(dataset: str, edition: str, file: Path, write: bool) -> None:
    """Print the bundled file, or write it in its place with ``--write``."""
    try:
        recipe = find_recipe(dataset, edition)
        if recipe.files:
            areas = AreaBook.from_seeds(SEEDS)
            table = transcribe_all(recipe, file, catalogue=load_catalogue(), areas=areas)
            target = BUNDLED / dataset / "all.parquet"
            if write:
                target.parent.mkdir(parents=True, exist_ok=True)
                # In the order of the publisher's lines these are small as differences.
                pq.write_table(
                    table,
                    target,
                    compression="zstd",
                    compression_level=19,
                    use_dictionary=[*_CARRIED[:7], "status", "status_symbol", "file"],
                    column_encoding={"line": "DELTA_BINARY_PACKED"},
                )
            click.echo(f"{target}: {table.num_rows} rows")
            return
        frame = transcribe(
            recipe,
            file.read_bytes(),
            catalogue=load_catalogue(),
            areas=AreaBook.from_seeds(SEEDS),
            file_name=file.name,
        )
    except PulseError as error:
        raise click.ClickException(str(error)) from None
    if not write:
        click.echo(to_csv(frame), nl=False)
        return
    target = BUNDLED / dataset / f"{edition}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.concat([frame, _by_hand(recipe, target)]) if recipe.series else frame
    with target.open("w", encoding="utf-8", newline="") as handle:
        handle.write(to_csv(frame))
    click.echo(f"{target}: {len(frame)} rows")


if __name__ == "__main__":
    main()
