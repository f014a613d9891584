"""The folders of one workspace.

A workspace holds what was landed, what is being built and what is published. Its root is the
project's folder unless ``PULSE_HOME`` names another; the demonstration and every test have a root
of their own. Nothing is read or written on import.
"""

from __future__ import annotations

import os
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


def replace_link(link: Path, target: str) -> None:
    """Point a link at something else, in one step; a crash may leave ``.<name>-next`` beside it."""
    fresh = link.with_name(f".{link.name}-next")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


class Workspace:
    """The folders and files below one ``root``.

    ``landing`` has publisher files as they were sent, ``quarantine`` those that were refused, each with
    its reasons, and ``inbox`` what councils and communities handed in. ``builds`` has one folder per
    build, none of which is published in place; ``current_build`` is a link to the current one, a stable
    path for dbt, ``build_file`` its warehouse, and ``lock_file`` is held while a refresh runs: two at
    once queue. ``releases`` are numbered and closed. ``published`` is the folder that readers know; in
    it ``current_release`` is the one link whose move publishes a release, through which they reach
    ``warehouse_file`` and ``exports``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.landing = root / "landing"
        self.quarantine = root / "quarantine"
        self.inbox = root / "inbox"
        self.builds = root / "build"
        self.current_build = self.builds / "current"
        self.build_file = self.current_build / "pulse.duckdb"
        self.lock_file = self.builds / ".lock"
        self.releases = root / "releases"
        self.published = root / "warehouse"
        self.current_release = self.published / "current"
        self.warehouse_file = self.published / "pulse.duckdb"
        self.exports = self.published / "exports"

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
                code="workspace",
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
