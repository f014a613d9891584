"""The folders of one workspace.

A workspace holds what was landed, what is being built and what is published. Its root is the
project's folder unless ``PULSE_HOME`` names another; the demonstration and every test have a root
of their own. Nothing is read or written on import.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sources.errors import PulseError

if TYPE_CHECKING:
    from sources.catalogue import Catalogue
    from sources.landing import LandingStore

PROJECT = Path(__file__).resolve().parent.parent
DBT_PROJECT = PROJECT / "dbt_project"
SEEDS = DBT_PROJECT / "seeds"


class WorkspaceError(PulseError):
    """A folder of the workspace cannot be used."""

    default_code = "workspace"


def replace_link(link: Path, target: str) -> None:
    """Point a link at something else, in one step; a crash may leave ``.<name>-next`` beside it."""
    fresh = link.with_name(f".{link.name}-next")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


@dataclass(frozen=True)
class Workspace:
    """The folders below one root."""

    root: Path

    @classmethod
    def from_environment(cls) -> Workspace:
        """The workspace that ``PULSE_HOME`` names, else the project's own folder.

        Raises WorkspaceError when ``PULSE_HOME`` names something that is not a folder.
        """
        named = os.environ.get("PULSE_HOME", "").strip()
        if not named:
            return cls(PROJECT)
        root = Path(named).expanduser().resolve()
        if root.exists() and not root.is_dir():
            raise WorkspaceError(
                "PULSE_HOME is not a folder",
                expected="a folder, or a name where one can be made",
                found=str(root),
                todo="unset PULSE_HOME or give it a folder",
            )
        return cls(root)

    @property
    def is_demonstration(self) -> bool:
        """Whether everything here is made up: the demonstration leaves a mark in its folder."""
        return (self.root / "DEMONSTRATION").exists()

    @property
    def landing(self) -> Path:
        """Publisher files as they were sent, write-once."""
        return self.root / "landing"

    @property
    def inbox(self) -> Path:
        """What councils and communities handed in: evidence and surveys of their own."""
        return self.root / "inbox"

    @property
    def quarantine(self) -> Path:
        """Files that were refused, each with its reasons."""
        return self.root / "quarantine"

    @property
    def store(self) -> LandingStore:
        """Landed and refused files."""
        from sources.landing import LandingStore

        return LandingStore(self.landing, self.quarantine)

    @property
    def catalogue(self) -> Catalogue:
        """What is declared, and the editions that were noticed since and recognised."""
        from sources.catalogue import load_catalogue
        from sources.editions import NoticedEditions

        return NoticedEditions(self.landing).extend(load_catalogue())

    @property
    def builds(self) -> Path:
        """One folder per build; none of them is ever published in place."""
        return self.root / "build"

    @property
    def current_build(self) -> Path:
        """A link to the current build: one stable path for dbt."""
        return self.builds / "current"

    @property
    def build_file(self) -> Path:
        """The warehouse that is being built."""
        return self.current_build / "pulse.duckdb"

    @property
    def releases(self) -> Path:
        """Numbered, closed releases."""
        return self.root / "releases"

    @property
    def published(self) -> Path:
        """The folder that readers know."""
        return self.root / "warehouse"

    @property
    def current_release(self) -> Path:
        """The one link whose move publishes a release."""
        return self.published / "current"

    @property
    def warehouse_file(self) -> Path:
        """The published warehouse, reached through the link."""
        return self.published / "pulse.duckdb"

    @property
    def exports(self) -> Path:
        """The published files, reached through the link."""
        return self.published / "exports"

    @property
    def lock_file(self) -> Path:
        """Held while a refresh runs: two at once queue."""
        return self.builds / ".lock"
