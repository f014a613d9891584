"""Where Pulse may ask: the base address of each publisher, and the allow-list made of them.

Belongs here: reading an address in the one way that no two readers can disagree about, and judging
whether it lies under a publisher's base. Does not belong here: asking (``sources.http``). Nothing
here reads the environment; ``PublisherSettings.from_env`` is given the mapping to read.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final
from urllib.parse import quote, unquote, urljoin

from sources.errors import FetchError

_ADDRESS: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?\Z"
)
_AUTHORITY: Final = re.compile(
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?\Z"
)
_SAFE: Final = "!#$%&'()*+,/:;=?@[]~-._"
DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def is_loopback(host: str) -> bool:
    """Whether a host is this computer by its very name: ``localhost`` or a loopback IP literal."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Base:
    """One place that may be asked: scheme, host, port and the folder that addresses lie under."""

    scheme: str
    host: str
    port: int
    folder: str

    @property
    def address(self) -> str:
        """The base as an address without a trailing slash."""
        shown = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{shown}{self.folder}"

    @classmethod
    def read(cls, address: str) -> Base:
        """Read a base address: https, or plain http for a loopback host.

        Raises FetchError ``bad_address`` for anything else.
        """
        scheme, host, port, path, query = split_address(address)
        if query:
            raise _bad_address(address, "a base address has no query")
        if scheme == "http" and not is_loopback(host):
            raise _bad_address(address, "plain http is accepted for this computer only; use https")
        return cls(scheme, host, port, path.rstrip("/"))

    def holds(self, scheme: str, host: str, port: int, path: str) -> bool:
        """Whether an address that was split lies under this base."""
        return (
            (scheme, host, port) == (self.scheme, self.host, self.port)
            and (not self.folder or path == self.folder or path.startswith(self.folder + "/"))
        )  # fmt: skip


def _bad_address(address: str, why: str) -> FetchError:
    return FetchError(
        f"The address {address[:200]!r} is not one that Pulse asks: {why}.", code="bad_address"
    )


def split_address(address: str) -> tuple[str, str, int, str, str]:
    """Split an address into lower-case scheme and host, port, path and query (with its ``?``).

    Deliberately narrower than the standard: no user information, no fragment, no empty or
    non-ASCII host, no backslash, no control character, no dot segments, so that no two readers of
    the same address can disagree about the host.
    """
    if len(address) > 4_000:
        raise _bad_address(address, "it is longer than 4,000 characters")
    if any(ord(letter) <= 0x20 or ord(letter) >= 0x7F or letter == "\\" for letter in address):
        raise _bad_address(address, "it holds a character that an address cannot hold")
    match = _ADDRESS.match(address)
    if match is None:
        raise _bad_address(address, "it is not of the form https://host/path")
    scheme = match["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise _bad_address(address, f"its scheme is {scheme!r}, https was expected")
    authority = _AUTHORITY.match(match["authority"])
    if authority is None:
        raise _bad_address(address, "its host is not a plain host name with an optional port")
    port = int(authority["port"]) if authority["port"] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65_536:
        raise _bad_address(address, f"its port {port} does not exist")
    path = match["path"] or "/"
    if any(segment in {".", ".."} for segment in re.split(r"[/\\]", unquote(path))):
        raise _bad_address(address, "its path climbs with dots")
    return scheme, authority["host"].lower(), port, path, match["query"] or ""


def redirect_target(address: str, location: str) -> str:
    """Where a Location header leads from an address, in ASCII; still to be checked.

    Text that no address can be made of is returned as it is, for the allow-list to refuse.
    """
    try:
        # Header bytes reach us as Latin-1; servers that send raw letters mean UTF-8.
        text = location.strip().encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        text = location.strip()
    try:
        return urljoin(address, quote(text.split("#", 1)[0], safe=_SAFE))
    except ValueError:
        return text


class AllowList:
    """The places that may be asked. Everything else is refused, also where a redirect leads."""

    def __init__(self, bases: Iterable[Base]) -> None:
        self.bases = tuple(dict.fromkeys(bases))

    def check(self, address: str) -> str:
        """Return the address in its one canonical spelling.

        Raises FetchError ``bad_address`` where it cannot be read in one way only, and
        ``not_allowed_host`` where it lies outside every base.
        """
        scheme, host, port, path, query = split_address(address)
        for base in self.bases:
            if base.holds(scheme, host, port, path):
                shown = "" if port == DEFAULT_PORTS[scheme] else f":{port}"
                return f"{scheme}://{host}{shown}{path}{query}"
        known = ", ".join(base.address for base in self.bases)
        raise FetchError(
            f"The address {address[:200]!r} is not under any address that Pulse may ask ({known}).",
            code="not_allowed_host",
            expected=known,
            found=address[:200],
        )


@dataclass(frozen=True)
class PublisherSettings:
    """The base address of each publisher. Configuration, with the public addresses as defaults."""

    govuk: str = "https://www.gov.uk"
    govuk_assets: str = "https://assets.publishing.service.gov.uk"
    ons: str = "https://www.ons.gov.uk"
    ons_geography: str = "https://services1.arcgis.com/ESMARspQHYMw9BZ9"
    nomis: str = "https://www.nomisweb.co.uk"
    smc: str = "https://social-mobility.data.gov.uk"

    def __post_init__(self) -> None:
        for each in fields(self):
            Base.read(getattr(self, each.name))

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> PublisherSettings:
        """Read ``PULSE_<PUBLISHER>_BASE`` from a mapping, e.g. ``PULSE_ONS_GEOGRAPHY_BASE``.

        Raises FetchError ``bad_address`` for a base that is neither https nor a loopback address.
        """
        given = {
            each.name: environment[variable].strip()
            for each in fields(cls)
            if environment.get(variable := f"PULSE_{each.name.upper()}_BASE", "").strip()
        }
        return cls(**given)

    def bases(self) -> dict[str, Base]:
        """The bases by publisher name."""
        return {each.name: Base.read(getattr(self, each.name)) for each in fields(self)}

    def allow_list(self) -> AllowList:
        """The allow-list that follows from the settings."""
        return AllowList(self.bases().values())

    def address(self, publisher: str, path: str) -> str:
        """The address of a path at a publisher.

        ``path`` counts from the publisher's host, also where its base is a folder there. It may also
        be the publisher's public address in full (as a catalogue prints it): it is moved to the
        configured base. An address elsewhere is returned as it is, for the allow-list to refuse.
        """
        base = str(getattr(self, publisher)).rstrip("/")
        public = str(getattr(PublisherSettings, publisher))
        if "://" not in path:
            path = "/" + path.lstrip("/")
            return base + path.removeprefix(Base.read(public).folder)
        if path == public or path.startswith((public + "/", public + "?")):
            return base + path[len(public) :]
        return path
