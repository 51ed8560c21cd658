"""What a source changed and the table bore: told once to the owner, in words, before it is followed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from headwater.domain.errors import NotFoundError
from headwater.domain.incident import Failure
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.staging import TableState
from headwater.domain.widening import is_widening
from headwater.ports.catalog import Catalog
from headwater.ports.platform import Platform
from headwater.services.context import RunContext
from headwater.services.drift import Evolution
from headwater.services.misfits import source_type

CAUSE = "schema_changed"
"""Names the runbook."""
_MOST_TOLD = 5


def seen_before(catalog: Catalog, state: TableState | None) -> TableSchema | None:
    """The source's columns when they were last read; None where nobody noted them, or the note is gone.

    They decide nothing: what is lost with them is one announcement.
    """
    if state is None or state.source_columns is None:
        return None
    try:
        content = catalog.read_attachment(state.source_columns)
    except NotFoundError:
        return None
    return TableSchema.model_validate_json(content)


def noted(catalog: Catalog, table: TableName, state: TableState | None, source: TableSchema, attempt: str) -> str:
    """Path of the note of these columns, written unless the state has one that says the same (rule 29)."""
    note = TableSchema(columns=tuple(column.model_copy(update={"doc": None}) for column in source.columns))
    if state is not None and state.source_columns is not None and seen_before(catalog, state) == note:
        return state.source_columns
    content = json.dumps(note.model_dump(mode="json", exclude_none=True), separators=(",", ":")).encode()
    return catalog.write_attachment(table, f"source-columns-{attempt}.json", content)


def changes_of(live: TableSchema, source: TableSchema, before: TableSchema | None, change: Evolution) -> list[str]:
    """Everything the source changed that the table bears, in words."""
    told = [f"column {column.name} of type {source_type(column)} is taken over" for column in change.add]
    told += [f"column {column.name} of type {source_type(column)} is left out" for column in change.left_out]
    told += [f"column {name} is widened to {kind}" for name, kind in change.widen.items()]
    for name, kind in change.judged.items():
        known = live.column(name)
        told.append(f"column {name} is {kind} now: values that are no {known.type if known else kind} are set aside")
    if before is not None:
        told += _moved(before, source)
        for old, new in [(old, new) for new in source.columns if (old := before.column(new.name)) is not None]:
            told += _altered(live, old, new) if new.name not in {*change.judged, *change.widen} else []
            told += _nullable(old, new)
    return told


def _moved(before: TableSchema, source: TableSchema) -> list[str]:
    now = [name for name in source.names if before.column(name) is not None]
    was = [name for name in before.names if source.column(name) is not None]
    return [f"columns come in another order: {', '.join(now)}"] if now != was else []


def _altered(live: TableSchema, old: Column, new: Column) -> Iterator[str]:
    known = live.column(new.name)
    if source_type(old) == source_type(new) or known is None:
        return
    words = f"column {new.name} changed from {source_type(old)} to {source_type(new)}"
    narrowed = is_widening(new.type, old.type) or is_widening(new.type, known.type)
    yield (
        f"{words}; the table keeps {known.type}" if narrowed else f"{words}; it is {known.type} in the table as before"
    )


def _nullable(old: Column, new: Column) -> Iterator[str]:
    if old.required != new.required:
        yield f"column {new.name} {'may no longer be NULL' if new.required else 'may be NULL now'}"


def announce(
    platform: Platform, run: RunContext, table: TableName, relation: str, policy: str, told: list[str]
) -> None:
    """An incident of kind notice for the table's owner; DataHub hears of it with the run's lineage.

    Called before the table follows: a process killed between the two tells twice, never not at all.
    """
    if not told:
        return
    more = len(told) - _MOST_TOLD
    changes = "; ".join(told[:_MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")
    failure = Failure(
        pipeline=run.spec.name,
        run_id=run.run_key.run_id,
        task_id=f"extract_to_bronze:{table.dotted}",
        try_number=run.try_number,
        kind="notice",
        cause=CAUSE,
        table=table.dotted,
        message=f"{relation} changed: {changes}",
        facts={
            "table": table.dotted,
            "relation": relation,
            "changes": changes,
            "policy": policy,
            "quarantine": run.spec.name_of(Layer.QUARANTINE, table.table).dotted if policy == "quarantine" else "",
        },
        seen_at=platform.clock.now(),
        log_url=run.log_url,
        run_url=run.run_url,
    )
    platform.report(failure, run.spec)


def changes_told(platform: Platform, run: RunContext) -> dict[str, str]:
    """Dotted table -> what this run told of its source's changes."""
    seen = platform.incidents.failures_seen(run.spec.name, run.run_key.run_id)
    return {item.table: item.facts["changes"] for item in seen if item.cause == CAUSE and item.table is not None}
