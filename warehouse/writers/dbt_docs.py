"""The documentation of the dbt project as one page: ``dbt_docs/index.html``.

The page is dbt's own. It is filled here from the manifest that the build left behind and from the
warehouse itself, because ``dbt docs generate`` starts dbt once more and opens the build for
writing: several seconds for what is already known. What differs between machines and runs (times,
run ids, folders) and the macros that come with dbt are left out, so that the same build gives the
same bytes and a page that names no folder of the machine it was made on.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from warehouse.writers.sheets import ExportError

_PLACES = ("MANIFEST.JSON INLINE DATA", "CATALOG.JSON INLINE DATA")
_UNORDERED = frozenset({"depends_on", "refs", "parent_map", "child_map"})
# Of a run or a machine, not of the project.
_UNTOLD = frozenset(
    {
        "build_path",
        "compiled_path",
        "created_at",
        "deferred",
        "generated_at",
        "invocation_id",
        "invocation_started_at",
        "root_path",
        "run_started_at",
        "user_id",
    }
)


def write_dbt_docs(connection: duckdb.DuckDBPyConnection, manifest: Path, folder: Path) -> Path:
    """Write the page.

    Args:
        connection: open on the warehouse that dbt built.
        manifest: the ``manifest.json`` of that build, in dbt's target folder.
        folder: the folder of the exports.

    Returns:
        The file made.

    Raises:
        ExportError: when the manifest cannot be read, or dbt's page is not as it was.
    """
    try:
        told: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(
            "dbt's manifest cannot be read",
            code="no_dbt_manifest",
            file=manifest.name,
            found=str(error),
            todo="run the refresh again: dbt writes it when it builds",
        ) from error
    page = _template()
    catalog = _catalog(connection, told)
    for place, content in zip(_PLACES, (_plain(told), catalog), strict=True):
        page = page.replace(f'"{place}"', _script(content))
    path = folder / "dbt_docs" / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _template() -> str:
    spec = find_spec("dbt")
    homes = list(spec.submodule_search_locations or []) if spec else []
    for home in homes:
        path = Path(home) / "task" / "docs" / "index.html"
        if path.exists():
            page = path.read_text(encoding="utf-8")
            if all(page.count(f'"{place}"') == 1 for place in _PLACES):
                return page
    raise ExportError(
        "the page that comes with dbt is not as it was",
        code="no_dbt_page",
        expected=f"dbt/task/docs/index.html with one place each for {' and '.join(_PLACES)}",
        found="another page" if homes else "no dbt",
        todo="install the pinned dbt-core, or adapt warehouse/writers/dbt_docs.py to the new one",
    )


def _plain(manifest: dict[str, Any]) -> dict[str, Any]:
    project = manifest["metadata"].get("project_name")
    # What is disabled is nobody's documentation, and the page asks for the key.
    kept = {**manifest, "disabled": {}}
    kept["macros"] = {
        name: macro
        for name, macro in manifest["macros"].items()
        if macro.get("package_name") == project
    }
    kept["docs"] = {
        name: doc
        for name, doc in manifest["docs"].items()
        if doc.get("package_name") in (project, "dbt")
    }
    told: dict[str, Any] = _without(kept)
    told["metadata"]["send_anonymous_usage_stats"] = False
    return told


def _without(value: Any) -> Any:
    """A value without what differs between runs; lists of names and of references in order.

    dbt writes what a model depends on in the order in which its threads came to it.
    """
    if isinstance(value, dict):
        return {
            key: _in_order(inner)
            if key in _UNORDERED or (key == "sources" and isinstance(inner, list))
            else _without(inner)
            for key, inner in value.items()
            if key not in _UNTOLD
        }
    if isinstance(value, list):
        return [_without(inner) for inner in value]
    return value


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted(value, key=lambda inner: json.dumps(inner, sort_keys=True))
    return value


def _catalog(connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> dict[str, Any]:
    """What the warehouse says of its own tables, in the form that dbt's page reads."""
    columns: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for schema, table, name, type_, index, comment in connection.execute(
        "select schema_name, table_name, column_name, data_type, column_index, comment "
        "from duckdb_columns() where not internal "
        "order by schema_name, table_name, column_index"
    ).fetchall():
        columns.setdefault((schema, table), {})[name] = {
            "type": type_,
            "index": index,
            "name": name,
            "comment": comment,
        }
    relations = {
        (schema, table): (kind, comment, rows)
        for schema, table, kind, comment, rows in connection.execute(
            "select schema_name, table_name, 'BASE TABLE', comment, estimated_size "
            "from duckdb_tables() union all "
            "select schema_name, view_name, 'VIEW', comment, null "
            "from duckdb_views() where not internal"
        ).fetchall()
    }

    def described(group: str, name_key: str) -> dict[str, Any]:
        found = {}
        for unique_id, node in manifest[group].items():
            at = (node.get("schema"), node.get(name_key))
            if at in relations:
                kind, comment, rows = relations[at]
                found[unique_id] = {
                    "unique_id": unique_id,
                    "metadata": {
                        "type": kind,
                        "schema": at[0],
                        "name": at[1],
                        "database": node.get("database"),
                        "comment": comment,
                        "owner": None,
                    },
                    "columns": columns.get(at, {}),
                    "stats": _stats(rows),
                }
        return found

    return {
        "metadata": {},
        "nodes": described("nodes", "alias"),
        "sources": described("sources", "identifier"),
        "errors": None,
    }


def _stats(rows: int | None) -> dict[str, Any]:
    stats: dict[str, Any] = {
        "has_stats": {
            "id": "has_stats",
            "label": "Has Stats?",
            "value": rows is not None,
            "include": False,
            "description": "",
        }
    }
    if rows is not None:
        stats["num_rows"] = {
            "id": "num_rows",
            "label": "Rows",
            "value": rows,
            "include": True,
            "description": "Rows in the table",
        }
    return stats


def _script(content: dict[str, Any]) -> str:
    """JSON that may stand inside a script of a page: nothing in it closes the script."""
    told = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return told.replace("</", "<\\/").replace("<!--", "<\\!--")
