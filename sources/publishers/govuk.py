"""GOV.UK: releases through the Content API, new ones through collections and search.

An asset's address changes with every replacement, so it is always read from the release page and never
kept in the catalogue. Structures: the content schemas that GOV.UK publishes (publication, document
collection, official statistics announcement) and its search API.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from sources.catalogue import Edition, GovUkDiscovery, fill
from sources.editions import WatchEvent
from sources.errors import FetchError
from sources.http import SPREADSHEET, Fetched, Validators
from sources.publishers.base import Answer, Cursor, Payload, Publisher, WatchCursor, cursor_of

_NOT_ANNUAL: Final = re.compile(
    r"quarter|ad[ -]?hoc|technical|methodolog|questionnaire|experimental|user guide|consultation"
    r"|\b(january|april|july|october)[ -]to[ -](march|june|september|december)\b",
    re.IGNORECASE,
)
Day = Annotated[AwareDatetime, AfterValidator(datetime.date)]
_RELEASE_PAGE: Final = re.compile(r"/government/statistics/(?!announcements)[^/]+(?<!-report)/?")


class Attachment(Payload):
    """One attachment of a release. ``url`` may be relative to the site."""

    attachment_type: str = "file"
    content_type: str | None = None
    url: str
    title: str = ""
    filename: str | None = None
    file_size: int | None = None

    def label(self) -> str:
        """How the attachment is named in a message."""
        name = self.filename or urlsplit(self.url).path.rsplit("/", 1)[-1]
        return f"{self.title!r} ({name}, {self.content_type or self.attachment_type})"


class WithdrawnNotice(Payload):
    explanation: str = ""
    withdrawn_at: str | None = None


class ReleaseDetails(Payload):
    attachments: tuple[Attachment, ...] = ()


class Release(Payload, populate_by_name=True):
    """A release that a publisher lists, or announces with the ``state`` of its date."""

    title: str = ""
    page: str
    document_type: str | None = None
    published_on: date | None = None
    withdrawn: bool = False
    announced_for: date | None = None
    state: str | None = None


class LinkedDocument(Release):
    """A document that a collection links to; it can lack its path while it is withdrawn."""

    page: Annotated[str, BeforeValidator(lambda path: path or "")] = Field("", alias="base_path")
    published_on: Day | None = Field(default=None, alias="public_updated_at")


class Links(Payload):
    documents: tuple[LinkedDocument, ...] = ()


class ContentItem(Payload):
    """One page as the Content API gives it."""

    base_path: str
    title: str = ""
    public_updated_at: str | None = None
    updated_at: str | None = None
    withdrawn_notice: WithdrawnNotice | None = None
    details: ReleaseDetails = ReleaseDetails()
    links: Links = Links()

    @property
    def withdrawn(self) -> str | None:
        """The notice in one line where the page was withdrawn, else None."""
        notice = self.withdrawn_notice
        if notice is None or not (notice.explanation or notice.withdrawn_at):
            return None
        why = " ".join(re.sub(r"<[^>]+>", " ", notice.explanation).split()) or "no reason given"
        return f"withdrawn {(notice.withdrawn_at or 'at an unstated time')[:10]}: {why}"


class SearchResult(Release):
    page: str = Field(alias="link")
    document_type: str | None = Field(default=None, alias="content_store_document_type")
    published_on: Day | None = Field(default=None, alias="public_timestamp")
    announced_for: Day | None = Field(default=None, alias="release_timestamp")
    state: str | None = Field(default=None, alias="statistics_announcement_state")


class SearchResults(Payload):
    results: tuple[SearchResult, ...] = ()


class GovUk(Publisher[GovUkDiscovery]):
    """A statistics release, on one page per edition or split by topic over several."""

    site = "govuk"

    # -- pages --

    def content_item(
        self, path: str, validators: Validators | None = None
    ) -> tuple[ContentItem | None, Fetched]:
        """Read a page through the Content API; ``(None, …)`` where it has not changed.

        Raises FetchError, also ``page_moved`` where the page was redirected and ``gone``.
        """
        settings = self.http.settings
        full = settings.address(self.site, path)
        base = settings.govuk.rstrip("/")
        page = full[len(base) :] if full.startswith(base + "/") else urlsplit(full).path
        address = settings.address(self.site, "/api/content" + page)
        payload, fetched = self.http.get_json(address, validators=validators)
        if fetched.not_modified:
            return None, fetched
        kind = payload.get("document_type") if isinstance(payload, dict) else None
        if kind in ("redirect", "gone"):
            targets = [
                str(each.get("destination"))
                for each in payload.get("redirects") or []
                if isinstance(each, dict)
            ]
            moved = kind == "redirect"
            raise self.fault(
                "page_moved" if moved else "gone",
                f"The page {path} {'has moved' if moved else 'was removed by its publisher'}",
                address=address,
                content=fetched.content,
                found=", ".join(targets) or "no destination",
                todo="Correct the edition's page in the catalogue."
                if moved
                else "Read the collection page: the release was replaced or withdrawn.",
            )
        return self.read(ContentItem, payload, fetched), fetched

    def choose_attachment(self, item: ContentItem, edition: Edition) -> Attachment:
        """The attachment that holds the tables: by title, then by the first content type that fits.

        The same tables in two forms (ODS and XLSX) are no ambiguity: ``content_types`` is an order of
        preference. Two files of one form are. Raises FetchError ``no_attachment`` or
        ``ambiguous_attachment``, listing the candidates.
        """
        wanted, unwanted = (
            re.compile(fill(pattern or r"(?!)", edition.edition), re.IGNORECASE)
            for pattern in (self.discovery.attachment_title, self.discovery.attachment_exclude)
        )
        titled = [
            each
            for each in item.details.attachments
            if each.attachment_type == "file"
            and wanted.search(each.title)
            and not unwanted.search(each.title)
        ]
        for content_type in self.discovery.content_types:
            # Listed twice with one address, it is one file.
            fitting = {
                each.url: each
                for each in titled
                if (each.content_type or "").split(";", 1)[0].strip().lower() == content_type
            }
            if len(fitting) == 1:
                return fitting.popitem()[1]
            if fitting:
                raise self.fault(
                    "ambiguous_attachment",
                    f"Several attachments of {item.base_path} could be the tables",
                    expected=f"one attachment titled like {self.discovery.attachment_title!r}",
                    found="; ".join(each.label() for each in fitting.values()),
                    todo="Make attachment_title or attachment_exclude in the catalogue narrower.",
                )
        raise self.fault(
            "no_attachment",
            f"No attachment of {item.base_path} is the tables",
            expected=f"one attachment titled like {self.discovery.attachment_title!r} of type "
            + " or ".join(self.discovery.content_types),
            found="; ".join(each.label() for each in item.details.attachments) or "no attachment",
            todo="Open the page; if the tables are there under another title, widen "
            "attachment_title.",
        )

    def _asset(self, url: str) -> str:
        address = self.http.settings.address(self.site, url)
        return self.http.settings.address("govuk_assets", address) if "://" in url else address

    # -- fetching --

    def ask(self, edition: Edition, cursor: Cursor | None) -> Answer:
        """One request where the page has not changed; the download only where there is something new.

        A swap of the file that leaves the page's public date alone shows in the attachment's address or
        size, else in the file's own validators. An edition without a page of its own is put together
        from the releases that the catalogue's pattern recognises.
        """
        known = cursor if cursor and cursor.sha256 else None
        if not edition.page:
            return self._fetch_split(edition, known)
        item, page = self.content_item(edition.page, known.page if known else None)
        if item is None:
            if known is None:
                message = f"{page.address} says that nothing changed, though nothing was known"
                raise self.fault("unexpected_payload", message)
            return Answer(None, known, withdrawn=known.withdrawn)
        chosen = self.choose_attachment(item, edition)
        address = self._asset(chosen.url)
        stated: dict[str, Any] = {
            "address": address,
            "page": page.validators,
            "release_title": item.title,
            "public_updated_at": item.public_updated_at,
            "updated_at": item.updated_at,
            "attachment_url": chosen.url,
            "attachment_size": chosen.file_size,
            "withdrawn": item.withdrawn,
        }
        remarks: tuple[str, ...] = ()
        if item.withdrawn:
            remarks += (f"The release is {item.withdrawn}. It is kept, and flagged.",)
        validators = None
        if known is not None:
            same = (known.attachment_url, known.attachment_size) == (chosen.url, chosen.file_size)
            if same and known.updated_at == item.updated_at:
                return Answer(None, known.model_copy(update=stated), remarks, item.withdrawn)
            validators = known.file if same else None
            if not same and known.public_updated_at == item.public_updated_at:
                remarks += (
                    "The publisher replaced the file without moving the page's public date "
                    f"({(item.public_updated_at or 'none')[:10]}).",
                )
        file = self.http.get(address, expect=SPREADSHEET, validators=validators)
        if file.not_modified and known is not None:
            return Answer(None, known.model_copy(update=stated), remarks, item.withdrawn)
        if chosen.file_size not in (None, len(file.content)):
            remarks += (
                f"The page gives {chosen.file_size:,} bytes for the file, {len(file.content):,} came.",
            )
        stated.pop("address")
        return Answer(file, cursor_of(address, file, **stated), remarks, item.withdrawn)

    def _fetch_split(self, edition: Edition, known: Cursor | None) -> Answer:
        """An edition whose tables are spread over releases by topic, as one file.

        Where there is one workbook, that is the file; several are put into one ZIP archive, each as it
        was sent, always as the same bytes.
        """
        releases, _ = self._releases(Validators())
        fitting = [each for each in releases or [] if self.edition_code(each) == edition.edition]
        pages = sorted({each.page for each in fitting if not each.withdrawn})
        if not pages:
            raise self.fault(
                "no_address",
                "The publisher lists no release of this edition yet",
                todo=edition.how_to_obtain,
            )
        chosen: dict[str, Attachment] = {}
        stated: list[Any] = []
        remarks: list[str] = []
        refusal: FetchError | None = None
        for page in pages:
            item, _ = self.content_item(page)
            if item is None:
                continue
            try:
                attachment = self.choose_attachment(item, edition)
            except FetchError as error:
                if error.code != "no_attachment":
                    raise
                refusal = error
                remarks.append(f"{page} has no tables of this dataset.")
                continue
            chosen[self._asset(attachment.url)] = attachment
            stated.append([page, item.updated_at, attachment.url, attachment.file_size])
        if refusal is not None and not chosen:
            raise refusal
        mark = hashlib.sha256(json.dumps(stated).encode()).hexdigest()
        if known is not None and known.mark == mark:
            return Answer(None, known, tuple(remarks))
        files = [self.http.get(address, expect=SPREADSHEET) for address in sorted(chosen)]
        file = files[0]
        if len(files) > 1:
            remarks += [f"Put together from {each.address}." for each in files]
            file = replace(
                file,
                content=_archive(files),
                file_name=f"{self.dataset.code}_{edition.edition}.zip",
                content_type="application/zip",
                validators=Validators(),
            )
        cursor = Cursor(address=file.address, mark=mark, release_title=fitting[0].title)
        return Answer(file, cursor, tuple(remarks))

    # -- noticing --

    def search(self, parameters: Mapping[str, str | Sequence[str]]) -> list[Release]:
        """Search results, newest first. ``parameters`` as the search API names them.

        Raises FetchError ``bad_request`` where the API refuses a parameter (422).
        """
        asked: dict[str, Any] = {
            "order": "-public_timestamp",
            "count": "50",
            "fields": "title,link,content_store_document_type,public_timestamp,release_timestamp,"
            "statistics_announcement_state",
            **parameters,
        }
        path = "/api/search.json?" + urlencode(asked, doseq=True)
        answer = self.http.get_json(self.http.settings.address(self.site, path))
        return list(self.read(SearchResults, *answer).results)

    def _releases(self, validators: Validators) -> tuple[list[Release] | None, Validators]:
        """What collection and search list; None for a collection that has not changed."""
        releases: list[Release] | None = []
        if self.discovery.collection:
            item, fetched = self.content_item(self.discovery.collection, validators)
            if item is None:
                releases = None
            else:
                validators = fetched.validators
                releases = [each for each in item.links.documents if each.page]
        if self.discovery.search:
            releases = [*(releases or []), *self.search(self.discovery.search)]
        return releases, validators

    def edition_code(self, release: Release) -> str | None:
        """The edition that a release is, by the patterns of the catalogue; None where it fits neither.

        A page below a release, a report beside it, and anything quarterly or technical is no edition.
        """
        discovery = self.discovery
        kinds = (None, *discovery.document_types)
        if release.document_type not in kinds or not _RELEASE_PAGE.fullmatch(release.page):
            return None
        if _NOT_ANNUAL.search(release.title) or _NOT_ANNUAL.search(release.page):
            return None
        for pattern, text in (
            (discovery.release_title, release.title),
            (discovery.release_path, release.page),
        ):
            match = re.search(pattern, text, re.IGNORECASE) if pattern else None
            if match is None:
                continue
            # Titles say "2025/26", "2025-26" and "2025 to 2026".
            parts = {
                name: value[-2:] if name == "end" else value
                for name, value in match.groupdict().items()
            }
            code = discovery.edition_code.format(**parts)
            survey_year = re.fullmatch(r"(20\d{2})-(\d{2})", code)
            if not survey_year or (int(survey_year[1]) + 1) % 100 == int(survey_year[2]):
                return code
        return None

    def look(self, former: WatchCursor, today: date) -> tuple[list[WatchEvent], WatchCursor]:
        """Compare the releases listed with those seen before, and ask for announced dates."""
        releases, validators = self._releases(former.validators)
        events: list[WatchEvent] = []
        seen = set(former.seen)
        for release in releases or []:
            mark = f"{release.page}|{release.title}"
            if mark not in seen:
                events += self._judge(release, first_look=not former.seen)
                seen.add(mark)
        announced, expected = self._announcement(former, today)
        return [*events, *announced], WatchCursor(
            validators=validators,
            seen=tuple(sorted(seen)),
            next_expected=expected,
        )

    def _judge(self, release: Release, *, first_look: bool) -> list[WatchEvent]:
        """What a release that was not seen before means."""
        dataset = self.dataset
        if release.withdrawn or not _RELEASE_PAGE.fullmatch(release.page):
            return []
        if release.document_type not in (None, *self.discovery.document_types):
            return []
        code = self.edition_code(release)
        listed = {entry.edition: entry for entry in dataset.editions}
        if code in listed:
            if listed[code].page or listed[code].history:
                return []
            message = f"{release.title!r} ({release.page}) is a release of edition {code}."
            return [WatchEvent("data_changed", dataset.code, message, edition=code)]
        if code is not None:
            if listed and code < min(listed):
                return []
            split = dataset.latest is not None and dataset.latest.page is None
            page = None if split else release.page
            new = self.new_edition(code, page=page, published_on=release.published_on)
            if new:
                return new
        elif _NOT_ANNUAL.search(release.title) or not self._of_the_survey(release):
            return []
        latest = dataset.latest.published_on if dataset.latest else None
        if first_look and latest and release.published_on and release.published_on <= latest:
            return []
        message = (
            f"{release.title!r} ({release.page}) looks like news of {dataset.short_title} and does not "
            f"fit the patterns of the catalogue (title {self.discovery.release_title!r}). Open the page: "
            f"if it is an annual edition, list it in sources/catalogue/{dataset.code}.yaml, with a "
            "layout where its tables are new; if not, nothing needs to be done."
        )
        return [WatchEvent("unrecognised_release", dataset.code, message, edition=code)]

    def _of_the_survey(self, release: Release) -> bool:
        return (self.dataset.survey or self.dataset.short_title).lower() in release.title.lower()

    def _announcement(
        self, former: WatchCursor, today: date
    ) -> tuple[list[WatchEvent], date | None]:
        """The next date announced for the survey, and an event where it is another than before."""
        found = self.search(
            {
                "q": self.dataset.survey or self.dataset.short_title,
                "filter_content_store_document_type": "official_statistics_announcement",
                "order": "-release_timestamp",
            }
        )
        dates = [
            (each.announced_for, each.page, each)
            for each in found
            if each.announced_for
            and each.announced_for >= today
            and each.state != "cancelled"
            and self._of_the_survey(each)
            and not _NOT_ANNUAL.search(each.title)
        ]
        day, _, release = min(dates, default=(None, "", None))
        if day is None or release is None or day == former.next_expected:
            return [], day
        message = (
            f"{release.title!r} is announced for {day.isoformat()} ({release.state or 'stated'})."
        )
        return [WatchEvent("date_announced", self.dataset.code, message, next_expected=day)], day


def _archive(files: list[Fetched]) -> bytes:
    """Workbooks in one ZIP archive, uncompressed and undated: equal workbooks make equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for number, file in enumerate(files, start=1):
            name = f"{number:02d}_{file.file_name}"
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), file.content)
    return out.getvalue()
