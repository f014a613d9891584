"""The site: pages, charts, small data files and a feed, all read from the published marts."""

from warehouse.writers.site.pages import write_site

__all__ = ["write_site"]
