"""What the files of now change of the tables that are there, each against the spec it was made by (rule 14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from headwater.domain.change import Effect, SpecChange
from headwater.domain.errors import ChangeRefusedError, Location
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunRequest
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.ports.platform import Platform
from headwater.services.context import spec_as_planned


def planned_changes(
    platform: Platform, spec: PipelineSpec, request: RunRequest | None = None
) -> tuple[SpecChange, ...]:
    """Every change that concerns a table the run may write.

    A table is compared with the spec stored for the run that made what readers see of it, so that a change stays a
    change until it was published. A table nobody published, or whose run the store no longer knows, has nothing to
    compare with.
    """
    runs = {
        item.table: item.state.run_key
        for release in platform.runs.current()
        if release.pipeline == spec.name
        for item in release.tables
        if item.state is not None
    }
    made_by = {key: _stored(platform, key, spec) for key in set(runs.values())}
    found: list[SpecChange] = []
    for table in _asked(spec, request):
        old = made_by.get(runs[table]) if table in runs else None
        found += platform.model.table_changes(old, spec, table) if old is not None else ()
    return tuple(found)


def refuse_unreadable(spec: PipelineSpec, changes: Sequence[SpecChange]) -> None:
    """Stop before anything is read where a bronze table cannot be read on as its files say now.

    Columns of a landing are left to the extract of their table, which compares them with the table itself. Silver and
    gold are held in their stages, so that a broken gold never stops ingestion.

    :raises ChangeRefusedError: of the first such table.
    """
    read = tuple(
        change
        for change in changes
        if change.table.layer is Layer.BRONZE and not change.path.startswith("extract.columns.")
    )
    for error in refusals(spec, read).values():
        raise error


def refusals(spec: PipelineSpec, changes: Sequence[SpecChange]) -> dict[TableName, ChangeRefusedError]:
    """Table -> why its changes may not happen by themselves; a table whose changes may is left out."""
    found: dict[TableName, list[tuple[SpecChange, str]]] = {}
    for change in changes:
        remedy = change_remedy(spec, change)
        if remedy is not None:
            found.setdefault(change.table, []).append((change, remedy))
    return {table: _refusal(spec, refused) for table, refused in found.items()}


def _refusal(spec: PipelineSpec, refused: Sequence[tuple[SpecChange, str]]) -> ChangeRefusedError:
    change, remedy = refused[0]
    rest = [other.text for other, _ in refused[1:]]
    return ChangeRefusedError(
        change.text,
        Location(spec.file, key=_section(change.table)),
        got="\n".join(rest) or None,
        remedy=remedy,
        facts={
            "table": change.table.dotted,
            "change": change.text,
            "change_remedy": remedy,
            "others": "; ".join(rest),
        },
    )


def change_remedy(spec: PipelineSpec, change: SpecChange) -> str | None:
    """What to do about a change that may not happen by itself; None for one that may."""
    back = "take the change back"
    if change.effect is Effect.REFUSE:
        return f"{change.why[0].upper()}{change.why[1:]}."
    if change.is_open:
        place = f"{spec.file} below {_section(change.table)}"
        return f"Either {back}, or say that the loss is meant: add `{change.acknowledgement}` to {place}."
    return None


def _section(table: TableName) -> str:
    return f"{'gold' if table.layer is Layer.GOLD else 'tables'}.{table.table}"


def _asked(spec: PipelineSpec, request: RunRequest | None) -> Iterator[TableName]:
    """Tables the run may write; a rebuild reads no source, and leaves the silver alone that nobody named."""
    chosen, rebuilt = (set(request.tables), set(request.rebuild)) if request is not None else (set(), set())
    for table in spec.tables if isinstance(spec, SourceSpec) else ():
        silver = spec.name_of(Layer.SILVER, table.name)
        if rebuilt:
            yield from (silver,) if silver.dotted in rebuilt else ()
        elif not chosen or table.name in chosen:
            yield from (spec.name_of(Layer.BRONZE, table.name), silver)
    yield from (spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)


def _stored(platform: Platform, run_key: str, spec: PipelineSpec) -> PipelineSpec | None:
    try:
        return spec_as_planned(platform, run_key, spec.file)
    except ValidationError:
        return None  # written by a version whose words this one no longer has
