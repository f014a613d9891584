"""What a build is made of, as one hash: equal hashes, equal content.

A refresh whose build identity equals that of the current release has nothing to do.
"""

import hashlib
import json
import platform
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sources.catalogue import Catalogue
from sources.selection import EditionUsed
from warehouse.workspace import PROJECT

_CODE = {".py", ".sql", ".yml", ".yaml", ".csv", ".parquet", ".j2", ".css"}
_NOT_CODE = {"target", "exports", "current", "__pycache__"}


def code_files() -> list[Path]:
    """The files that decide what is computed, in a fixed order."""
    found = [
        path
        for folder in ("sources", "warehouse", "orchestration", "dbt_project")
        for path in sorted((PROJECT / folder).rglob("*"))
        if path.suffix in _CODE and not _NOT_CODE & set(path.relative_to(PROJECT).parts)
    ]
    # The methods are a page of every release.
    return [*found, PROJECT / "docs" / "methods.md"]


def code_sha256() -> str:
    """One hash over the files that decide what is computed, their names and bytes."""
    digest = hashlib.sha256()
    for path in code_files():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def code_version() -> str:
    """The package's version and the first 12 characters of a hash over the code that computes.

    Two workspaces with the same one compute the same from the same inputs.
    """
    return f"{_version('pulse-barometers')}+{code_sha256()[:12]}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def build_identity(catalogue: Catalogue, editions: Iterable[EditionUsed]) -> str:
    """A sha256 over everything that the content of a build depends on.

    That is the catalogue with the editions noticed since, what was accepted and refused of each
    edition, the code (Python, dbt project with seeds and macros, bundled figures) and the libraries.
    How the publishers answered is no part of it.
    """
    parts = {
        "catalogue": [each.model_dump_json() for each in catalogue.datasets.values()],
        "editions": sorted(json.dumps(each.to_json(), sort_keys=True) for each in editions),
        "code": code_sha256(),
        "libraries": libraries(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def libraries() -> dict[str, str]:
    """The version of each library that a release is made with, of Python and of the system."""
    with (PROJECT / "pyproject.toml").open("rb") as stream:
        required = tomllib.load(stream)["project"]["dependencies"]
    names = sorted(re.split(r"[^\w-]", requirement)[0] for requirement in required)
    return {
        "python": platform.python_version(),
        "system": " ".join([platform.system(), platform.machine(), *platform.libc_ver()]),
        **{name: _version(name) for name in names},
    }
