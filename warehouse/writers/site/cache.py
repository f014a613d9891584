"""What was made before from the same things: drawn charts and whole pages, by the hash of both."""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Final

_WRITERS: Final = Path(__file__).resolve().parents[1]


class Cache:
    """Keeps what was made in ``folder`` by the hash of its key; without one, all is made anew.

    ``made``: the names of what was made in this run.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.made: list[str] = []

    def kept(self, name: str, key: str, make: Callable[[], bytes]) -> bytes:
        """``make()``, or what it made before for the same key."""
        if self.folder is None:
            self.made.append(name)
            return make()
        digest = hashlib.sha256(key.encode()).hexdigest()
        path = self.folder / f"{digest}{Path(name).suffix}"
        if path.exists():
            path.touch()
            return path.read_bytes()
        self.made.append(name)
        content = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".new")
        aside.write_bytes(content)
        aside.replace(path)
        return content


def key_of(*parts: object) -> str:
    """A key that is equal for equal data: rows, dataclasses, numbers, texts and dates.

    ``repr`` writes all of them whole, and four times as fast as JSON.
    """
    return "\n".join(map(repr, parts))


@cache
def code_of_pages() -> str:
    """A hash of the code, templates and assets that pages are made by."""
    return hash_of([*_WRITERS.glob("*.py"), *_WRITERS.joinpath("site").rglob("*")])


def hash_of(paths: Iterable[Path]) -> str:
    """A hash of the files among some paths, whatever their order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
