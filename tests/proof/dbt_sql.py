"""The project's own dbt macros and models as plain SQL text, without a dbt run.

Here belongs the small part of dbt's templating that the statistics macros and models use: `ref`,
`var`, `config` and the default of a dispatched macro. The proof and the tests read the very files
that dbt builds, so that what is proved is what runs. No SQL is executed here, and nothing that
needs a dbt adapter is offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import yaml

from sources.errors import PulseError

DBT_PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MACROS = [DBT_PROJECT / "macros" / folder for folder in ("statistics", "words")]
MODELS = DBT_PROJECT / "models" / "intermediate"
# The models from a cell to its verdicts, in the order in which they are built.
COMPARISONS = (
    "int_area_members",
    "int_area_containments",
    "int_area_shares",
    "int_area_parents",
    "int_area_population_vintages",
    "int_comparable_figures",
    "int_comparison_peers",
    "int_comparison_similar",
    "int_comparison_pairs",
    "int_comparison_tests",
    "int_comparisons",
)
RANKS = ("int_rank_entries", "int_ranks")


class RenderError(PulseError):
    """A macro or model could not be turned into SQL outside dbt."""


@cache
def _template(text: str) -> jinja2.Template:
    environment = jinja2.Environment(  # SQL, never HTML
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.do"],
    )
    return environment.from_string(text)


@cache
def _macros() -> jinja2.Template:
    folders = [DBT_PROJECT / "macros", *MACROS]
    files = [file for folder in folders for file in sorted(folder.glob("*.sql"))]
    if not files:
        raise RenderError("no macros found; is dbt_project complete?")
    return _template("".join(file.read_text(encoding="utf-8").strip() for file in files))


@cache
def _models() -> Mapping[str, str]:
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(MODELS.rglob("*.sql"))}


@cache
def project_variables() -> Mapping[str, Any]:
    """The `vars` of dbt_project.yml."""
    text = (DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
    variables: dict[str, Any] = yaml.safe_load(text).get("vars", {})
    return variables


def render(
    text: str,
    *,
    refs: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> str:
    """Turn text that calls the statistics macros into SQL.

    Args:
        text: SQL with dbt's templating.
        refs: the relation to read for a model name; a name that is not given stands for itself.
        variables: values that win over those of dbt_project.yml.

    Raises:
        RenderError: where the text asks for a variable or macro that does not exist.
    """
    known = {**project_variables(), **(variables or {})}

    def var(name: str, default: Any = None) -> Any:
        if name in known:
            return known[name]
        if default is None:
            raise RenderError(f"variable {name!r} is not set in dbt_project.yml and has no default")
        return default

    def ref(name: str) -> str:
        return (refs or {}).get(name, name)

    macros: Mapping[str, Any] = {}
    context = {
        "adapter": SimpleNamespace(dispatch=lambda name: macros[f"default__{name}"]),
        "return": lambda text: text,
        "var": var,
        "ref": ref,
        "source": lambda _, name: ref(name),
        "config": lambda **_: "",
    }
    try:
        macros = vars(_macros().make_module(context))
        return _template(text).render({**macros, **context}).strip()
    except jinja2.TemplateError as error:
        raise RenderError(f"the SQL template does not render: {error}") from error


def statistics_model(
    name: str,
    *,
    refs: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> str:
    """The SQL of one model of models/intermediate.

    Raises:
        RenderError: where there is no such model.
    """
    held = _models()
    if name not in held:
        raise RenderError(f"there is no intermediate model {name!r}; there are {', '.join(held)}")
    return render(held[name], refs=refs, variables=variables)
