"""What is held for a person to decide on, and the way out of a closed gate without it: discard (rule 21)."""

from __future__ import annotations

from headwater.domain.errors import NotFoundError
from headwater.domain.incident import Incident
from headwater.domain.names import Layer, TableName
from headwater.ports.platform import Platform
from headwater.ports.run_store import SetAside, StagedRecord
from headwater.services.quarantined_share import SHARE_CHECK


def discard(platform: Platform, incident: Incident, by: str, reason: str) -> tuple[SetAside, ...]:
    """Set the offending rows of the held batches aside: the next run diverts them to quarantine and goes on.

    A broken check that judges rows sets aside exactly those rows; one that judges the whole table (a count, an
    average) sets aside the whole batch. Bronze keeps every row; nothing is deleted.

    :raises NotFoundError: when nothing of the incident is held any more.
    """
    held = held_group(platform, incident)
    made: list[SetAside] = []
    for record in held:
        made += _set_asides(platform, record, by, reason)
    for record in held:
        platform.runs.mark_staged(record.staged.attempt, record.staged.table, "discarded")
        platform.catalog.drop_branches(record.staged.table, [record.staged.branch])
    return tuple(made)


def _set_asides(platform: Platform, record: StagedRecord, by: str, reason: str) -> list[SetAside]:
    if record.staged.table.layer is not Layer.SILVER:
        return []
    verdict = platform.runs.verdict(record.staged.table, record.staged.staged)
    broken = [check for check in verdict.checks if check.outcome == "failed"] if verdict else []
    items = []
    for check in broken:
        # the rows of too large a share are in quarantine already: the word is that they stay there
        predicate = "false" if check.type == SHARE_CHECK else check.predicate or "true"
        item = SetAside(
            table=record.staged.table,
            rule=check.name,
            predicate=predicate,
            up_to_batch=record.staged.state.batch,
            up_to_cursor=_watermark(platform, record),
            by=by,
            reason=reason,
        )
        platform.runs.save_set_aside(item)
        items.append(item)
    return items


def _watermark(platform: Platform, record: StagedRecord) -> str | None:
    """How far the source was read when the batch was held."""
    bronze = platform.catalog.head(record.staged.table.model_copy(update={"layer": Layer.BRONZE}))
    return bronze.state.watermark if bronze and bronze.state else None


def held_group(platform: Platform, incident: Incident) -> tuple[StagedRecord, ...]:
    """The incident's held staging and those of its publish group from the same run."""
    if incident.table is None:
        raise NotFoundError(f"incident {incident.id} is not about a held table", remedy="Follow its steps instead.")
    table = TableName.parse(incident.table)
    own = platform.runs.held(table)
    if not own:
        raise NotFoundError(
            f"nothing of {table} is held any more",
            remedy=f"`uv run headwater runs {incident.pipeline}` shows what became of it.",
            facts={"table": table.dotted},
        )
    newest = own[0]
    if table.layer is Layer.BRONZE:
        return (newest,)
    spec = platform.model.load(incident.pipeline)
    group = next(group for group in platform.model.publish_groups(spec) if table in group)
    members = [record for name in group for record in platform.runs.held(name) if record.run_key == newest.run_key]
    newest_of = {record.staged.table: record for record in reversed(members)}
    return tuple(newest_of[name] for name in group if name in newest_of)
