"""The pages and pictures that people read, made from the marts.

``read_region`` reads once what ``write_site`` makes pages and ``write_figures`` pictures of. What belongs here: choosing which rows a page shows, saying them in words, drawing them. What
does not: any computation of a figure, an interval or a verdict; those are rows of the marts.
"""

from __future__ import annotations

from warehouse.writers.site.build import write_figures, write_site
from warehouse.writers.site.model import read_region

__all__ = ["read_region", "write_figures", "write_site"]
