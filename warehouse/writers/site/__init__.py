"""The pages and pictures that people read, made from the marts.

``write_site`` makes the pages, ``write_figures`` the pictures of the report for the edition at
hand. What belongs here: choosing which rows a page shows, saying them in words, drawing them. What
does not: any computation of a figure, an interval or a verdict; those are rows of the marts.
"""

from __future__ import annotations

from warehouse.writers.site.build import write_figures, write_site

__all__ = ["write_figures", "write_site"]
