"""What the bytes of a file are, and the parts of an archive, expanded under limits.

Nothing here reads a cell. A file that is no table, or that could do harm, is refused before any
other reader sees it, with advice that fits what it is.
"""

import io
import json
import re
import struct
import zipfile
import zlib
from typing import Any, Final
from xml.parsers import expat

from sources.errors import ParseError, shortened
from sources.workbook.book import Form, Limits, Where

GET_AGAIN: Final = (
    "Download the data tables again from the publisher's release page and hand that file in."
)
SAVE_AS: Final = (
    "Download the XLSX, ODS or CSV form from the publisher; if there is none, open the file and "
    "save it as XLSX."
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS_TYPE: Final = b"application/vnd.oasis.opendocument.spreadsheet"
# The first that fits decides: start of the file, or a pattern in its first 4,096 bytes.
_OTHER_FORMS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"\x1f\x8b", "gzip", "Unpack it and hand in the table itself."),
    (rb"7z\xbc\xaf|Rar!", "a 7z or RAR archive", "Unpack it and hand in the table itself."),
    (
        rb"\s*%PDF",
        "a PDF document",
        "Hand in the data tables (XLSX, ODS or CSV) from the same release page.",
    ),
    (rb"\x09[\x00\x02\x04\x08].\x00", "an Excel workbook from before 1997 (.xls)", SAVE_AS),
    (rb"(?s)\s*<.*urn:schemas-microsoft-com:office:spreadsheet", "an Excel 2003 XML file", SAVE_AS),
    (rb"(?s)\s*<.*<office:document\b", "a flat OpenDocument file (.fods)", SAVE_AS),
)
_OTHER_ARCHIVES: Final = (
    ("xl/workbook.bin", "an Excel binary workbook (.xlsb)", SAVE_AS),
    ("Index/Document.iwa", "an Apple Numbers, Pages or Keynote document", SAVE_AS),
    ("Index.zip", "an Apple Numbers, Pages or Keynote document", SAVE_AS),
    ("word/document.xml", "a Word document", "Hand in the data tables, not the report."),
    ("ppt/presentation.xml", "a PowerPoint presentation", "Hand in the data tables instead."),
    ("content.xml", "an OpenDocument file that is no spreadsheet", "Hand in the data tables."),
)


def refuse_other_documents(content: bytes, where: Where) -> None:
    """Raise for what publishers and people send in place of a table; return for what may be CSV."""
    if content.startswith(_OLE):
        raise _ole_error(content, where)
    for pattern, what, todo in _OTHER_FORMS:
        if re.match(pattern, content[:4096]):
            raise _not_a_table(where, what, todo)
    head = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<"):
        is_page = b"<html" in head or head.startswith((b"<!doctype html", b"<!--", b"<head"))
        raise where.error(
            "html_page" if is_page else "not_a_workbook",
            f"A {'web page' if is_page else 'markup document'} was sent in place of the table.",
            expected="XLSX, ODS or CSV",
            found=_excerpt(content),
            todo="Open the publisher's release page in a browser, choose the data tables there and "
            "hand in the file that it saves.",
        )
    if head.startswith((b"{", b"[")):
        try:
            json.loads(content.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            if head.startswith(b"["):
                return  # a table may well open with a note in square brackets
        raise where.error(
            "json_document",
            "A JSON document was sent in place of the table; publishers report errors this way.",
            expected="XLSX, ODS or CSV",
            found=_excerpt(content),
            todo="Read the message; if it is a passing fault, fetch the file again later.",
        )


def _not_a_table(where: Where, what: str, todo: str) -> ParseError:
    return where.error(
        "not_a_workbook",
        f"The file is {what}, which is not read here.",
        expected="XLSX, ODS or CSV",
        found=what,
        todo=todo,
    )


def _ole_error(content: bytes, where: Where) -> ParseError:
    """An OLE container: a locked workbook, an old one, or another Office document."""
    streams = {name: name.encode("utf-16-le") in content for name in ("Workbook", "Book")}
    if "EncryptedPackage".encode("utf-16-le") in content:
        return _password_error(where)
    found = "an Excel 97-2003 workbook (.xls)" if any(streams.values()) else "an OLE document"
    return where.error(
        "legacy_workbook",
        "The file is an old binary Office document, not an XLSX or ODS workbook.",
        expected="XLSX, ODS or CSV",
        found=found,
        todo=SAVE_AS,
    )


def _password_error(where: Where) -> ParseError:
    return where.error(
        "password_protected",
        "The workbook is protected by a password and cannot be read.",
        expected="a workbook that opens without a password",
        todo="Open it with the password and save a copy without one, or hand in the published file.",
    )


def _excerpt(content: bytes) -> str:
    return shortened(" ".join(content[:400].decode("utf-8", errors="replace").split()), 120)


def open_archive(content: bytes, where: Where, limits: Limits) -> tuple[Form, dict[str, bytes]]:
    """The form of an archive and its XML parts, each expanded under the limits.

    The sizes that an archive declares can be false, so each part is expanded here, with a ceiling.
    Raises ``ParseError``: ``truncated``, ``damaged_archive``, ``zip_bomb``, ``password_protected``,
    ``not_a_workbook``, ``xml_entities`` or ``damaged_workbook``.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, struct.error, EOFError, NotImplementedError) as error:
        raise where.error(
            "truncated",
            "The workbook breaks off: the directory at the end of the archive is missing or "
            "damaged.",
            found=str(error) or None,
            todo=GET_AGAIN,
        ) from error
    except (OSError, OverflowError, UnicodeDecodeError) as error:
        raise _damaged(where, str(error)) from error
    if len(entries) > limits.entries:
        raise _too_large(where, f"at most {limits.entries:,} parts", f"{len(entries):,}")
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise _damaged(where, "two parts of the archive have the same name")
    if any(entry.flag_bits & 1 for entry in entries):
        raise _password_error(where)
    _refuse_expansion(sum(entry.file_size for entry in entries), len(content), where, limits)
    parts: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        data = _expand(archive, entry, limits.expanded_bytes - total, where)
        total += len(data)
        _refuse_expansion(total, len(content), where, limits)
        if entry.filename.endswith((".xml", ".rels")) or entry.filename == "mimetype":
            parts[entry.filename] = data
    manifest = parts.get("META-INF/manifest.xml", b"")
    if b"encryption-data" in manifest or "encrypted-package" in names:
        raise _password_error(where)
    form: Form
    if "xl/workbook.xml" in parts:
        form = "xlsx"
    elif "content.xml" in parts and _ODS_TYPE in parts.get("mimetype", b"") + manifest:
        form = "ods"
    else:
        for name, what, todo in _OTHER_ARCHIVES:
            if name in names:
                raise _not_a_table(where, what, todo)
        raise where.error(
            "not_a_workbook",
            "The file is an archive, but neither an XLSX nor an ODS workbook.",
            expected="xl/workbook.xml, or content.xml of a spreadsheet",
            found=", ".join(sorted(names)[:6]) or "no parts",
            todo="If the tables are in the archive, unpack it and hand in the workbook itself.",
        )
    for name, data in parts.items():
        if name != "mimetype":
            _refuse_unsound(name, data, where)
    return form, parts


def workbooks_in(content: bytes, where: Where, limits: Limits) -> dict[str, bytes]:
    """The workbooks of an archive that holds nothing else, by name; empty for any other archive."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = [
            entry
            for entry in archive.infolist()
            if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
        ]
    except (zipfile.BadZipFile, ValueError, struct.error, EOFError, NotImplementedError, OSError):
        return {}
    names = [entry.filename for entry in entries]
    if not all(name.lower().endswith((".xlsx", ".ods")) for name in names):
        return {}
    if len(set(names)) != len(names) or any(entry.flag_bits & 1 for entry in entries):
        raise _damaged(where, "members with one name, or locked ones")
    books: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        books[entry.filename] = _expand(archive, entry, limits.file_bytes - total, where)
        total += len(books[entry.filename])
        if total > limits.file_bytes:
            raise _too_large(where, f"at most {limits.file_bytes:,} bytes", "more than that")
    return books


def _refuse_unsound(name: str, data: bytes, where: Where) -> None:
    """Read one XML part to its end.

    Raises ``ParseError``: ``xml_entities`` for a part that declares entities, which could expand
    without end, and ``damaged_workbook`` for one that is not well-formed.
    """
    reader = expat.ParserCreate(namespace_separator="}")
    reader.StartDoctypeDeclHandler = _refuse_doctype
    try:
        reader.Parse(data, True)
    except _EntityDeclaredError as error:
        raise where.error(
            "xml_entities",
            f"The part {name!r} of the workbook declares entities of its own, which no published "
            "workbook does; it was not opened.",
            todo=GET_AGAIN,
        ) from error
    except (expat.ExpatError, ValueError) as error:
        raise where.error(
            "damaged_workbook",
            f"The part {name!r} of the workbook is not well-formed.",
            found=str(error),
            todo=GET_AGAIN,
        ) from error


class _EntityDeclaredError(Exception):
    pass


def _refuse_doctype(*_: Any) -> None:
    raise _EntityDeclaredError


def _refuse_expansion(expanded: int, size: int, where: Where, limits: Limits) -> None:
    too_large = expanded > limits.expanded_bytes
    too_steep = expanded > limits.ratio_from_bytes and expanded > limits.ratio * size
    if too_large or too_steep:
        raise _too_large(
            where,
            f"at most {limits.expanded_bytes:,} bytes and {limits.ratio} to 1",
            f"{expanded:,} bytes or more from {size:,}",
        )


def _too_large(where: Where, expected: str, found: str) -> ParseError:
    return where.error(
        "zip_bomb",
        "The archive expands to far more than a table needs, so it was not opened.",
        expected=expected,
        found=found,
        todo=GET_AGAIN,
    )


def _damaged(where: Where, found: str) -> ParseError:
    return where.error(
        "damaged_archive", "The workbook's archive is damaged.", found=found, todo=GET_AGAIN
    )


def _expand(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int, where: Where) -> bytes:
    """One part, at most ``room`` bytes of it and one more; its size and checksum are verified."""
    try:
        with archive.open(entry) as part:
            data = part.read(max(room, 0) + 1)
            if len(data) <= room and len(data) != entry.file_size:
                raise zipfile.BadZipFile("not the size that it declares")
            return data
    except EOFError as error:
        raise where.error(
            "truncated", f"The part {entry.filename!r} of the workbook breaks off.", todo=GET_AGAIN
        ) from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        OSError,
        ValueError,
        RuntimeError,
        struct.error,
    ) as error:
        raise _damaged(where, f"{entry.filename!r}: {error}") from error
