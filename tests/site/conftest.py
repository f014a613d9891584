"""The pages of the small warehouse, written once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import jinja2
import pytest

from tests.lazy import lazy
from tests.site import small_warehouse as small
from warehouse.connection import reading
from warehouse.workspace import PROJECT

read = lazy("warehouse.writers.read")
site = lazy("warehouse.writers.site")


class _Compiled(jinja2.BytecodeCache):
    """Templates are compiled for the first site of a process, and kept for the next."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def _templates_are_compiled_once() -> Iterator[None]:
    plain = jinja2.Environment.__init__

    def made(self: jinja2.Environment, *arguments: Any, **options: Any) -> None:
        plain(self, *arguments, **options)
        self.bytecode_cache = _Compiled()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "__init__", made)
        yield


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    path = small.build(folder / "pulse.duckdb")
    with reading(path) as connection:
        site.write_site(
            read.read_model(connection),
            folder,
            cache=folder / "cache",
            methods=PROJECT / "docs" / "methods.md",
        )
    return folder / "site"
