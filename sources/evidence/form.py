"""The blank form: a workbook that a person fills in, with lists to choose from and hints.

The form is made from the same model that checks it, so the two cannot disagree.
"""

import io

import xlsxwriter

from sources.evidence.model import KINDS, Lists
from sources.evidence.register import HEADER_ROW, SHEETS, heading, is_list

_ROWS = 500
_ABOUT = (
    "Evidence form",
    "Fill in the sheets Initiatives and Evidence: one row per entry. A heading with * is needed.",
    "Select a cell to see its hint. Where there is a list, choose from it; where a field holds several "
    "values, write them with ; between them. The sheet Lists has every code.",
    "Write summaries in your own words. No names of private persons, e-mail addresses, telephone "
    "numbers or full postcodes: an entry with any of them is refused.",
    "A quotation needs consent, a figure needs its place in the source, and everything needs a source.",
    "Hand it in with: pulse land-evidence FILE. What is wrong is listed cell by cell, and nothing is "
    "taken until all of it is right.",
)


def blank_form(lists: Lists) -> bytes:
    """The blank form as an XLSX file."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        text = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        about = book.add_worksheet("About")
        about.set_column(0, 0, 100, wrapped)
        about.write_column(0, 0, _ABOUT)
        about.set_row(0, None, bold)
        sheets = {kind: book.add_worksheet(name) for name, kind in SHEETS.items()}
        codes = book.add_worksheet("Lists")
        used: dict[str, str] = {}
        for kind, sheet in sheets.items():
            sheet.write(0, 0, f"{kind.capitalize()}: one row per entry, from row {HEADER_ROW + 1}")
            sheet.freeze_panes(HEADER_ROW, 1)
            for column, (name, field) in enumerate(KINDS[kind].model_fields.items()):
                needed = field.is_required() or name == "source"
                sheet.set_column(column, column, 24, text if name != "figure" else None)
                sheet.write(HEADER_ROW - 1, column, heading(name) + (" *" if needed else ""), bold)
                choices = lists.choices(name)
                if choices and name not in used:
                    at = len(used)
                    codes.write(0, at, heading(name), bold)
                    codes.set_column(at, at, 45)
                    entries = [f"{code}: {title}" for code, title in choices.items()]
                    codes.write_column(1, at, entries)
                    letter = xlsxwriter.utility.xl_col_to_name(at)
                    used[name] = f"=Lists!${letter}$2:${letter}${len(choices) + 1}"
                hint = field.description or ""
                sheet.data_validation(
                    HEADER_ROW,
                    column,
                    HEADER_ROW + _ROWS,
                    column,
                    {
                        "validate": "list" if choices else "any",
                        **({"source": used[name]} if choices else {}),
                        "input_title": heading(name)[:32],
                        "input_message": hint[:255],
                        # Several values of a list are typed, which a list would not let in.
                        **({"error_type": "information"} if is_list(kind, name) else {}),
                    },
                )
    return made.getvalue()
