"""The site: pages, charts, small data files and a feed, all read from the published marts."""

from warehouse.writers.site.pages import write_site
from warehouse.writers.site.read import read_model

__all__ = ["read_model", "write_site"]
