"""Publisher files as cells: the bytes of an XLSX, ODS or CSV file in, sheets of cells out.

Here belongs what is true of any publisher's table. ``archive`` recognises what a file really is and
refuses what could do harm; ``reader`` reads its cells; ``header`` finds a header by what its labels
say; ``values`` reads one cell as a number or as the shorthand in its place. What a particular
publisher's tables mean belongs in ``sources.parsers``.

Every fault raises ``ParseError`` with a short ``code``, and no value is returned that the file does
not hold.
"""

import re
from collections.abc import Sequence

from sources.workbook.archive import GET_AGAIN, open_archive, refuse_other_documents, workbooks_in
from sources.workbook.book import DEFAULT_LIMITS, Book, Form, Limits, Sheet, Where
from sources.workbook.reader import SHEETS, csv_sheet


def read_workbook(
    content: bytes,
    where: Where,
    *,
    forms: Sequence[Form] = ("xlsx", "ods", "csv"),
    limits: Limits = DEFAULT_LIMITS,
) -> Book:
    """Open ``content`` as what it is, not as what its name says; sheets are read when asked for.

    ``forms``: the forms that the caller's parser can use. Raises ``ParseError``: ``empty_file``,
    ``file_too_large``, ``wrong_form``, and any code of ``sources.workbook.archive`` and
    ``sources.workbook.reader``.
    """
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise where.error("empty_file", "The file is empty.", todo=GET_AGAIN)
    if len(content) > limits.file_bytes:
        raise where.error(
            "file_too_large",
            "The file is larger than any table this publisher has released.",
            expected=f"at most {limits.file_bytes:,} bytes",
            found=f"{len(content):,} bytes",
            todo="Check that this is the file of data tables and not of the microdata.",
        )
    form: Form = "csv"
    sheets: tuple[Sheet, ...]
    remarks: tuple[tuple[str, str], ...] = ()
    if content.startswith(b"PK"):
        sheets = ()
        # The workbooks of a release that is split by topic come in one archive.
        for workbook in (workbooks_in(content, where, limits) or {"": content}).values():
            form, parts = open_archive(workbook, where, limits)
            _allow_form(form, forms, where)
            sheets += SHEETS[form](parts, where, limits)
        hidden = [sheet.name for sheet in sheets if sheet.hidden]
        sheets = tuple(sheet for sheet in sheets if not sheet.hidden)
        if hidden:
            remarks = (("hidden_sheet", f"Hidden sheets are not read: {', '.join(hidden)}."),)
        if not sheets:
            text = "The workbook has no sheets, or hidden ones only."
            raise where.error("damaged_workbook", text, todo=GET_AGAIN)
    else:
        refuse_other_documents(content, where)
        sheet, remarks = csv_sheet(content, where, limits)
        _allow_form(form, forms, where)
        sheets = (sheet,)
    return Book(form, sheets, remarks + _extension_remark(form, where))


def _allow_form(form: Form, forms: Sequence[Form], where: Where) -> None:
    if form not in forms:
        wanted = " or ".join(f.upper() for f in forms)
        raise where.error(
            "wrong_form",
            "The file is of a form that this dataset is not published in.",
            expected=wanted,
            found=form.upper(),
            todo=f"Hand in the {wanted} file of the publisher's release page.",
        )


def _extension_remark(form: Form, where: Where) -> tuple[tuple[str, str], ...]:
    match = re.search(r"\.(\w+)$", where.file or "")
    usual = {form, "zip", "xlsm" if form == "xlsx" else form}
    if match is None or match.group(1).lower() in usual:
        return ()
    message = f"The file is named .{match.group(1)} and holds {form.upper()}; it was read as such."
    return (("wrong_extension", message),)
