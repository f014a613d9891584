"""Write the golden files anew: `python -m tests.golden.regenerate`, then read every difference.

The inputs are made up; the expected tables are what the parsers make of them today, so a change in
one is only right if the change in reading was meant.
"""

from __future__ import annotations

from tests.publisher_files import GOLDEN, GOLDENS, as_text, parse, write

BY_HAND = {"ons_local_indicators"}
"""Datasets whose golden input was written by hand: no made-up files are made of them."""


def main() -> None:
    for dataset, edition, form in GOLDENS:
        folder = GOLDEN / dataset
        folder.mkdir(exist_ok=True)
        path = folder / f"{edition}.{form}"
        content = path.read_bytes() if dataset in BY_HAND else write(dataset, edition, form=form)
        path.write_bytes(content)
        table = as_text(parse(dataset, edition, content, name=path.name))
        table.to_csv(folder / f"{edition}.expected.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
