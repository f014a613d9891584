"""The write-once store of publisher files: the bytes as they were sent, and a record beside them.

Belongs here: keeping bytes, proving later that they are the same, setting aside those that were
refused, and marking those that a person took out of use. Does not belong here: fetching, or any
opinion on what is in a file.

``<root>/<dataset>/<edition>/<sha256>/`` holds the file under the publisher's name and ``record.json``.
A folder appears whole, by one rename, or not at all; nothing in it is written again. Names that begin
with a dot are work in progress, or left over from a crash, and are never read; except ``.seen/``, which
remembers when bytes that were already here came again, so that a publisher who goes back to an
earlier file is followed, and ``.unlanded/``, which holds the marks of revisions that are not used.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from sources.errors import LandingError, about

RECORD = "record.json"
REASONS = "reasons.json"
_TEMPORARY = ".landing-"
_SEEN = ".seen"
_UNLANDED = ".unlanded"
_STALE_SECONDS = 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_FILE_NAME = 200


class Unlanded(BaseModel, frozen=True):
    """Why a file is kept and not used: who decided it, when (in UTC) and why."""

    who: str
    when: datetime
    why: str

    def __str__(self) -> str:
        return f"{self.who}, {self.when:%Y-%m-%d}: {self.why}"


class _Kept(BaseModel, frozen=True, extra="forbid"):
    """The record of a file, and where it lies (which is not written).

    ``retrieved_at`` is in UTC. ``address`` is None for a file that a person handed in.
    """

    dataset: str
    edition: str
    revision: str
    sha256: str
    path: Path = Field(exclude=True)
    file_name: str
    size: int
    address: str | None
    retrieved_at: datetime
    unlanded: Unlanded | None = Field(None, exclude=True)


class LandedFile(_Kept, frozen=True):
    """One revision of one edition, as it lies in the store.

    ``origin`` is synthetic for a made-up file, whose figures are never released. ``retrieved_at`` is
    when it first came, ``last_seen_at`` when it last came after other bytes had (None: never again).
    """

    origin: Literal["publisher", "synthetic"] = "publisher"
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    extra: dict[str, Any] = {}
    last_seen_at: datetime | None = Field(None, exclude=True)

    @property
    def received_at(self) -> datetime:
        """When these bytes came last: what "newest" means."""
        return self.last_seen_at or self.retrieved_at


class QuarantinedFile(_Kept, frozen=True):
    """Bytes that were refused, with the reasons.

    ``landed``: the same bytes are landed too, and were refused later, when they were read.
    """

    reasons: tuple[str, ...]
    landed: bool = Field(False, exclude=True)


_K = TypeVar("_K", bound=_Kept)


class LandingStore:
    """The store under ``root``, and the refused copies under ``quarantine``.

    Safe for several processes at once: of two that land the same bytes, both succeed and one folder
    remains. All times given must carry a time zone.
    """

    def __init__(self, root: Path, quarantine: Path) -> None:
        self.root = root
        self.quarantine_root = quarantine

    def land(
        self,
        dataset: str,
        edition: str,
        content: bytes,
        *,
        file_name: str,
        address: str | None,
        retrieved_at: datetime,
        **more: Any,
    ) -> LandedFile:
        """Keep the bytes as a revision of the edition; the same bytes again give the same revision.

        ``more``: what else a ``LandedFile`` records. ``address`` is None for a file handed in by a
        person, whose decision lifts the mark of ``unland``. Raises
        LandingError: "bad_name" for a dataset, edition or file name that is not a plain name,
        "empty_file", "bad_time", "bytes_changed" where the folder of this sha256 holds other bytes,
        "not_written" where the disk refuses.
        """
        _check_names(dataset, edition, file_name)
        folder = self.root / dataset / edition / hashlib.sha256(content).hexdigest()
        with about(dataset=dataset, edition=edition, file=file_name):
            if not content:
                todo = "download it again"
                raise LandingError("the file is empty", code="empty_file", todo=todo)
            moment = _utc(retrieved_at)
        record = LandedFile(
            **_named(folder, dataset, edition, file_name, content),
            address=address,
            retrieved_at=moment,
            **more,
        )
        known = (folder / RECORD).exists()
        if not known:
            _write_folder(content, RECORD, record)
        self.read(_landed(folder))
        if known:
            newest = self.revisions(dataset, edition, unlanded=True)[0]
            if newest.sha256 != folder.name and moment > newest.received_at:
                replace_file(folder.parent / _SEEN / folder.name, moment.isoformat().encode())
            if address is None:
                (folder.parent / _UNLANDED / folder.name).unlink(missing_ok=True)
        return _landed(folder)

    def revisions(self, dataset: str, edition: str, *, unlanded: bool = False) -> list[LandedFile]:
        """The revisions of the edition, last received first; bytes are verified by ``read``.

        ``unlanded``: also those that a person took out of use. Raises LandingError(code="bad_record")
        for a folder whose record cannot be read.
        """
        _check_names(dataset, edition)
        parent = self.root / dataset / edition
        landed = [_landed(folder) for folder in _folders(parent)]
        return sorted(
            (each for each in landed if unlanded or each.unlanded is None),
            key=lambda item: (item.received_at, item.sha256),
            reverse=True,
        )

    def unland(
        self, dataset: str, edition: str, revision: str, *, who: str, why: str, now: datetime
    ) -> LandedFile | QuarantinedFile:
        """Mark a revision, landed or refused, as not used; the file stays where it is.

        ``revision``: the beginning of its sha256, at least 6 characters. A refused file that is marked
        is no longer reported. Raises LandingError: "unknown_revision" where none or several begin so,
        "no_reason" where ``why`` is empty.
        """
        place = {"dataset": dataset, "edition": edition}
        if not why.strip():
            raise LandingError(
                "no reason is given",
                code="no_reason",
                todo='say why the file is not used, with --why "..."',
                **place,
            )
        held = self.revisions(dataset, edition, unlanded=True)
        refused = [each for each in self.quarantined(dataset, edition) if not each.landed]
        every: list[LandedFile | QuarantinedFile] = [*held, *refused]
        found = [each for each in every if len(revision) >= 6 and each.sha256.startswith(revision)]
        if len(found) != 1:
            raise LandingError(
                f"{revision!r} does not name one revision",
                code="unknown_revision",
                expected=", ".join(each.revision for each in every) or "none is held",
                todo="look it up in: pulse datasets",
                **place,
            )
        folder = found[0].path.parent
        mark = Unlanded(who=who, when=_utc(now), why=why)
        replace_file(folder.parent / _UNLANDED / folder.name, _dump(mark))
        return found[0].model_copy(update={"unlanded": mark})

    def read(self, landed: LandedFile) -> bytes:
        """The bytes of the revision. Raises LandingError(code="bytes_changed") if they are not those."""
        place = {
            "dataset": landed.dataset,
            "edition": landed.edition,
            "file": landed.file_name,
            "todo": f"remove the folder {landed.path.parent.name} and land the file again",
        }
        try:
            content = landed.path.read_bytes()
        except OSError as error:
            raise LandingError(
                f"the landed file cannot be read: {error.strerror or error}",
                code="bytes_changed",
                expected=f"{landed.size} bytes with sha256 {landed.sha256}",
                **place,
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != landed.sha256:
            raise LandingError(
                "the bytes on disk are not those that were landed",
                code="bytes_changed",
                expected=f"sha256 {landed.sha256}",
                found=f"sha256 {found}, {len(content)} bytes",
                **place,
            )
        return content

    def quarantine(
        self,
        dataset: str,
        edition: str,
        content: bytes,
        *,
        file_name: str,
        reasons: Sequence[str],
        address: str | None = None,
        retrieved_at: datetime,
    ) -> Path:
        """Set a copy of refused bytes aside, with the reasons; returns its folder.

        The same bytes refused again keep one copy, with the newest time and reasons: a rule may have
        been corrected since. ``address`` is None for a file handed in by a person. Bytes may be empty:
        that can be the fault. Raises LandingError as ``land``.
        """
        _check_names(dataset, edition, file_name)
        folder = self.quarantine_root / dataset / edition / hashlib.sha256(content).hexdigest()
        with about(dataset=dataset, edition=edition, file=file_name):
            moment = _utc(retrieved_at)
        record = QuarantinedFile(
            **_named(folder, dataset, edition, file_name, content),
            address=address,
            retrieved_at=moment,
            reasons=tuple(reasons),
        )
        if not (folder / REASONS).exists():
            _write_folder(content, REASONS, record)
        known = _recorded(QuarantinedFile, folder, REASONS)
        news = {name: getattr(record, name) for name in ("address", "retrieved_at", "reasons")}
        if known.model_copy(update=news) != known:
            replace_file(folder / REASONS, _dump(known.model_copy(update=news)))
        if address is None:
            (folder.parent / _UNLANDED / folder.name).unlink(missing_ok=True)
        return folder

    def set_aside(self, landed: LandedFile, reasons: Sequence[str]) -> None:
        """Quarantine a copy of a landed revision that cannot be used; its bytes may be altered."""
        try:
            content = landed.path.read_bytes()
        except OSError:
            return  # There is nothing to keep; whoever refused it reports that it cannot be read.
        sent = landed.model_dump(include={"file_name", "address", "retrieved_at"})
        self.quarantine(landed.dataset, landed.edition, content, reasons=reasons, **sent)

    def quarantined(self, dataset: str, edition: str) -> list[QuarantinedFile]:
        """Refused files of an edition, newest first.

        Raises LandingError(code="bad_record") for a folder whose record cannot be read.
        """
        _check_names(dataset, edition)
        home = self.root / dataset / edition
        found = []
        for folder in _folders(self.quarantine_root / dataset / edition, REASONS):
            landed = (home / folder.name / RECORD).is_file()
            found.append(_recorded(QuarantinedFile, folder, REASONS, landed=landed))
        return sorted(found, key=lambda item: (item.retrieved_at, item.sha256), reverse=True)


def _check_names(dataset: str, edition: str | None = None, file_name: str | None = None) -> None:
    for what, name in (("dataset", dataset), ("edition", edition)):
        if name is not None and (not _NAME.fullmatch(name) or ".." in name):
            raise LandingError(
                f"the {what} {name!r} cannot name a folder",
                code="bad_name",
                expected="letters, digits, dot, dash and underscore",
                todo="use a code of the catalogue",
            )
    if file_name is None:
        return
    separators = "/" in file_name or "\\" in file_name or ".." in file_name
    odd = not file_name.isprintable() or file_name != file_name.strip()
    if (
        not file_name
        or separators
        or odd
        or file_name.startswith(".")
        or file_name.casefold() in (RECORD, REASONS)
        or len(file_name.encode()) > _LONGEST_FILE_NAME
    ):
        raise LandingError(
            f"the file name {file_name!r} cannot be kept",
            code="bad_name",
            dataset=dataset,
            edition=edition,
            expected=f"a plain name of at most {_LONGEST_FILE_NAME} bytes, without folders",
            todo="rename the file",
        )


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = "the time of retrieval has no time zone"
        raise LandingError(message, code="bad_time", expected="a time in UTC", found=moment)
    return moment.astimezone(UTC)


def _folders(parent: Path, marker: str = RECORD) -> Iterator[Path]:
    for folder in sorted(parent.glob("*")):
        if _SHA256.fullmatch(folder.name) and (folder / marker).is_file():
            yield folder


def _bad_record(path: Path, error: Exception) -> LandingError:
    return LandingError(
        f"the record of a landed file cannot be used: {type(error).__name__} {error}",
        code="bad_record",
        file=f"{path.parent.name}/{path.name}",
        todo="remove that folder and land the file again",
    )


def _named(
    folder: Path, dataset: str, edition: str, file_name: str, content: bytes
) -> dict[str, Any]:
    """What landed and refused files have alike."""
    return {
        "dataset": dataset,
        "edition": edition,
        "revision": folder.name[:12],
        "sha256": folder.name,
        "path": folder / file_name,
        "file_name": file_name,
        "size": len(content),
    }


def _recorded(kind: type[_K], folder: Path, marker: str, **known: object) -> _K:
    """Read the record of a folder. Raises LandingError(code="bad_record")."""
    try:
        record = json.loads((folder / marker).read_text(encoding="utf-8"))
        if record["sha256"] != folder.name:
            raise ValueError("its sha256 is not the name of its folder")
        _check_names(record["dataset"], record["edition"], record["file_name"])
        place = {"path": folder / record["file_name"], "unlanded": _unlanded(folder)}
        return kind.model_validate(record | place | known)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _bad_record(folder / marker, error) from error


def _landed(folder: Path) -> LandedFile:
    return _recorded(LandedFile, folder, RECORD, last_seen_at=_last_seen(folder))


def _last_seen(folder: Path) -> datetime | None:
    try:
        return datetime.fromisoformat((folder.parent / _SEEN / folder.name).read_text())
    except FileNotFoundError:
        return None


def _unlanded(folder: Path) -> Unlanded | None:
    path = folder.parent / _UNLANDED / folder.name
    try:
        return Unlanded.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _bad_record(path, error) from error


def _dump(record: BaseModel) -> bytes:
    return record.model_dump_json(indent=2).encode() + b"\n"


def _write_folder(content: bytes, record_name: str, record: _Kept) -> None:
    """Make the folder appear whole: written beside its place, flushed to disk, then renamed."""
    folder = record.path.parent
    parent = folder.parent
    work = parent / f"{_TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(parent)
        work.mkdir()
        _write_file(work / record.file_name, content)
        _write_file(work / record_name, _dump(record))
        _flush_folder(work)
        _move(work, folder, record_name)
        _flush_folder(parent)
    except OSError as error:
        raise LandingError(
            f"the file could not be kept: {error.strerror or error}",
            code="not_written",
            dataset=record.dataset,
            edition=record.edition,
            file=record.file_name,
            todo="check the free space and the permissions of the folder, then try again",
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move(work: Path, folder: Path, record_name: str) -> None:
    try:
        work.rename(folder)
    except OSError:
        if (folder / record_name).is_file():
            # Another process landed the same bytes first. Its folder is as good as this one.
            return
        if not folder.is_dir():
            raise
        # A folder without its record was half removed by someone: it is nobody's revision.
        folder.rename(work.with_name(f"{_TEMPORARY}broken-{uuid.uuid4().hex}"))
        work.rename(folder)


def _write_file(path: Path, content: bytes, *, read_only: bool = True) -> None:
    with path.open("xb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    if read_only:
        path.chmod(path.stat().st_mode & 0o555)
    if hashlib.sha256(path.read_bytes()).digest() != hashlib.sha256(content).digest():
        raise OSError(f"{path.name} does not read back as it was written")


def replace_file(path: Path, content: bytes, *, read_only: bool = True) -> None:
    """Write a small file so that a reader sees the old one or the new one, never a part.

    Its folder is made where there is none; one that is not ``read_only`` is for people to edit.
    Raises LandingError(code="not_written").
    """
    work = path.with_name(f"{_TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_file(work, content, read_only=read_only)
        work.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise LandingError(
            f"{path.name} could not be kept: {error.strerror or error}",
            code="not_written",
            file=str(path),
            todo="check the free space and the permissions of the folder, then try again",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            work.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    # Some file systems cannot flush a folder; the rename is still atomic there.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _clear_leftovers(parent: Path) -> None:
    """Remove work folders that a crash left; young ones may belong to a process that is still busy."""
    for leftover in parent.glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)
