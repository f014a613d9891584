"""Landing and observations: a file a publisher sent becomes rows that keep their contract.

Each dataset has its own assets, so that one that is broken is red by itself while the others go
on; its last good edition stays in use.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import dagster as dg
from pydantic import TypeAdapter

from orchestration.defs.io import IDENTITY, ObservationsIO
from orchestration.defs.resources import PulseResource
from sources.catalogue import BUNDLED_DIRECTORY, Dataset, Edition, load_catalogue
from sources.editions import Freshness, freshness
from sources.errors import PulseError
from sources.fetch import Mode, SourceOutcome, fetch
from sources.landing import replace_file
from sources.selection import observation_identity, observe
from warehouse.workspace import SEEDS, Workspace

OWNER = "team:data-engineering"
ANSWERS = "answers"
_MESSAGES = TypeAdapter(list[str])
NOTICED_CHECK = "no_release_waits_to_be_described"


def newest_metadata(
    instance: dg.DagsterInstance, key: Sequence[str]
) -> Mapping[str, dg.MetadataValue[Any]]:
    """What the newest materialization of an asset recorded; nothing where there is none."""
    event = instance.get_latest_materialization_event(dg.AssetKey(key))
    return event.asset_materialization.metadata if event and event.asset_materialization else {}


def table(rows: Iterable[Mapping[Any, Any]]) -> dg.TableMetadataValue:
    """Rows as the page shows them. There is at least one, since their types come from it."""
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows])


def noted_by(
    instance: dg.DagsterInstance, datasets: Iterable[str]
) -> dict[tuple[str, str], tuple[str, str]]:
    """By dataset and edition: state and message of the publisher, as the newest landing noted them."""
    return {
        (dataset, edition): (state, message)
        for dataset in datasets
        if (answers := newest_metadata(instance, ["landing", dataset]).get(ANSWERS))
        for edition, state, message in cast("list[list[str]]", answers.value)
    }


def ask_publisher(
    pulse: PulseResource, dataset: Dataset, editions: Sequence[Edition], *, afresh: bool = False
) -> tuple[SourceOutcome, ...]:
    """Ask the publisher of a dataset for some editions and land what is new.

    ``afresh`` fetches whole files, whatever is remembered of them.
    """
    return fetch(
        dataset,
        editions,
        mode=cast("Mode", pulse.mode),
        store=pulse.workspace.store,
        areas=pulse.areas,
        http=pulse.http,
        now=datetime.now(UTC),
        reachability=None if pulse.mode == "offline" else pulse.reachability,
        afresh=afresh,
    )


def _landing_asset(declared: Dataset) -> dg.AssetsDefinition:
    key = dg.AssetKey(["landing", declared.code])
    answered = dg.AssetCheckSpec(
        "publisher_sent_what_was_expected",
        asset=key,
        description=(
            "The publisher answered with the file that the catalogue describes. Red: it sent "
            "something else, which is in quarantine. Yellow: it could not be reached. Either way "
            "what was landed before stays in use."
        ),
    )
    noticed = dg.AssetCheckSpec(
        NOTICED_CHECK,
        asset=key,
        description=(
            "The publisher has no release that the catalogue does not recognise, and no successor "
            "of this source whose layout is still to be described."
        ),
    )

    @dg.asset(
        key=key,
        group_name="landing",
        description=(
            f"Files of {declared.title} as {declared.publisher} sent them, write-once. A publisher "
            "that does not answer leaves what was landed before in use."
        ),
        kinds={"file"},
        owners=[OWNER],
        check_specs=[answered, noticed],
        metadata={"publisher page": dg.MetadataValue.url(declared.landing_page)},
    )
    def land(
        context: dg.AssetExecutionContext, pulse: PulseResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        workspace, again = pulse.workspace, pulse.rebuilding
        dataset = workspace.catalogue.dataset(declared.code)
        outcomes: tuple[SourceOutcome, ...] = ()
        if again:
            # It is made of what was held then, and has the answers of then.
            own = [used for used in again.inputs if used["dataset"] == dataset.code]
            names = ("edition", "publisher_state", "publisher_message")
            answers = [
                [used[name] for name in names] for used in own if used[names[-1]] is not None
            ]
        else:
            if dataset.editions:
                outcomes = ask_publisher(pulse, dataset, dataset.editions)
            answers = [[o.edition, o.state, o.message] for o in outcomes if o.tried or o.failed]
        for outcome in outcomes:
            if outcome.state in ("publisher_new", "publisher_revision", "publisher_refused"):
                pulse.say(f"landing     {outcome.message}")
        revisions = workspace.store.revisions
        held = [each for e in dataset.editions for each in revisions(dataset.code, e.edition)]
        refused = [outcome for outcome in outcomes if outcome.state == "publisher_refused"]
        unreached = [outcome for outcome in outcomes if outcome.state == "publisher_unreachable"]
        waiting = alerts(workspace, dataset.code)
        yield dg.MaterializeResult(
            metadata={
                "files held": len(held),
                ANSWERS: dg.MetadataValue.json(answers),
                "requests": sum(outcome.requests for outcome in outcomes),
                "publisher": table(
                    {
                        "edition": o.edition,
                        "state": o.state,
                        "message": o.message,
                        "remarks": "; ".join(o.remarks),
                    }
                    for o in outcomes
                )
                if outcomes
                else "no edition is listed yet",
                "files": table(
                    {
                        "edition": landed.edition,
                        "revision": landed.revision,
                        "file": landed.file_name,
                        "path": str(landed.path),
                        "sha256": landed.sha256,
                        "retrieved": landed.retrieved_at.isoformat(timespec="seconds"),
                    }
                    for landed in held
                )
                if held
                else "none: the bundled figures are used",
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=answered.name,
                    passed=not refused and not unreached,
                    severity=dg.AssetCheckSeverity.ERROR if refused else dg.AssetCheckSeverity.WARN,
                    metadata={
                        "what happened": "; ".join(o.message for o in refused + unreached)
                        or "nothing amiss"
                    },
                ),
                dg.AssetCheckResult(
                    check_name=noticed.name,
                    passed=not waiting,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"what waits": "; ".join(waiting) or "nothing"},
                ),
            ],
        )
        if pulse.mode == "only_publisher" and (refused or unreached):
            # Asked for explicitly: nothing but what the publishers sent, or nothing at all.
            raise dg.Failure(description=(refused + unreached)[0].message, allow_retries=False)

    return land


def _observations_asset(declared: Dataset) -> dg.AssetsDefinition:
    key = dg.AssetKey(["observations", declared.code])
    fresh = dg.AssetCheckSpec(
        "the_next_edition_is_not_overdue",
        asset=key,
        description=(
            "The next edition is not late. A warning, never an error: what is held stays in use."
        ),
    )
    check = dg.AssetCheckSpec(
        "every_file_keeps_the_contract",
        asset=key,
        description=(
            "No file of this dataset was refused. A refused file is in quarantine with its "
            "reasons; the last good revision, else the bundled figures, are used in its place."
        ),
    )

    @dg.asset(
        key=key,
        group_name="observations",
        deps=[dg.AssetKey(["landing", declared.code])] if declared.discovery else [],
        description=(
            f"Accepted figures of {declared.title}, one row per published cell, checked against the "
            "contract."
        ),
        kinds={"parquet", "pandera"},
        io_manager_key="observations_io",
        owners=[OWNER],
        check_specs=[check, fresh],
        # How long an annual source may go without a refresh before the page says so.
        freshness_policy=dg.FreshnessPolicy.time_window(
            warn_window=timedelta(days=45), fail_window=timedelta(days=365 + declared.grace_days)
        )
        if declared.cadence == "annual" and declared.discovery
        else None,
        metadata={"publisher page": dg.MetadataValue.url(declared.landing_page)},
    )
    def observed(
        context: dg.AssetExecutionContext, pulse: PulseResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        dataset = pulse.workspace.catalogue.dataset(declared.code)
        age = judge_freshness(pulse.workspace, dataset)
        store = pulse.workspace.store
        bundled = None if pulse.mode == "only_publisher" else BUNDLED_DIRECTORY
        identity = observation_identity(dataset, store, SEEDS, bundled=bundled)
        kept = ObservationsIO(pulse.workspace).kept(dataset.code, identity)
        observations = kept or observe(dataset, store, pulse.areas, bundled=bundled)
        intakes, refused = observations.editions, []
        held = [intake for intake in intakes if intake.state == "accepted"]
        without = [intake.edition for intake in intakes if intake.state != "accepted"]
        rows = sum(intake.figures for intake in held)
        if kept:
            read = f"{rows} rows, {len(held)} editions, as read before"
            pulse.say(f"observed    {dataset.code}: {read}")
        for intake in intakes:
            name = f"{dataset.code} {intake.edition}"
            if intake.state == "accepted" and not kept:
                pulse.say(f"observed    {name}: {intake.figures} rows, {intake.origin}")
            for rejection in intake.rejections:
                pulse.say(f"REFUSED     {name}: {rejection.file_name}: {rejection.error}")
                refused.append(
                    {
                        "edition": intake.edition,
                        "file": rejection.file_name,
                        "revision": rejection.revision,
                        "reason": rejection.error,
                    }
                )
        yield dg.MaterializeResult(
            value=observations,
            data_version=dg.DataVersion(identity),
            metadata={
                IDENTITY: identity,
                "parsed in this run": kept is None,
                "dagster/row_count": rows,
                "editions": ", ".join(intake.edition for intake in held) or "none held",
                "origin": ", ".join(sorted({str(intake.origin) for intake in held})) or "none",
                "sha256": ", ".join(str(i.file_sha256) for i in held if i.file_sha256)
                or "bundled figures",
                "notes": "; ".join(n.message for i in held for n in i.notes) or "none",
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=check.name,
                    passed=not refused,
                    metadata={
                        "refused files": table(refused) if refused else 0,
                        "editions with no figures": ", ".join(without) or "none",
                    },
                ),
                dg.AssetCheckResult(
                    check_name=fresh.name,
                    passed=age.state == "ok",
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"judgement": age.message},
                ),
            ],
        )

    return observed


def judge_freshness(workspace: Workspace, dataset: Dataset) -> Freshness:
    """Whether the next edition of the dataset is late."""
    store = workspace.store
    held = [e.edition for e in dataset.editions if store.revisions(dataset.code, e.edition)]
    return freshness(dataset, datetime.now(UTC).date(), held=held)


def _alerts_file(workspace: Workspace, dataset: str) -> Path:
    return workspace.landing / ".watch" / "alerts" / f"{dataset}.json"


def alerts(workspace: Workspace, dataset: str) -> list[str]:
    """What the watch noticed of a dataset and nobody has dealt with: one message per release.

    Raises PulseError "bad_entry" where the file of them cannot be read.
    """
    path = _alerts_file(workspace, dataset)
    try:
        return _MESSAGES.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise PulseError(
            "what was noticed of this dataset cannot be read",
            code="bad_entry",
            dataset=dataset,
            file=str(path),
            found=str(error).splitlines()[0],
            todo="remove the file and look at the publisher's page: what waited there is not "
            "reported a second time",
        ) from error


def raise_alerts(workspace: Workspace, dataset: str, messages: Iterable[str]) -> None:
    """Keep messages until the catalogue knows the release; the landing's check warns of them."""
    kept = dict.fromkeys([*alerts(workspace, dataset), *messages])
    replace_file(_alerts_file(workspace, dataset), json.dumps(list(kept)).encode())


@dg.definitions
def ingest() -> dg.Definitions:
    """Landing and observations of every dataset in the catalogue."""
    datasets = load_catalogue().datasets.values()
    landing = [_landing_asset(dataset) for dataset in datasets if dataset.discovery]
    return dg.Definitions(assets=[*landing, *map(_observations_asset, datasets)])
