"""For whom a failure matters, who is told, and what they go on seeing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.spec import Owner, PipelineSpec, SourceSpec

PLATFORM = Owner(team="platform")
"""Told of what belongs to no pipeline."""


def parsed_table(table: str | None) -> TableName | None:
    """The table of a dotted name; None when there is none, or the text names a whole layer."""
    try:
        return None if table is None else TableName.parse(table)
    except ValueError:
        return None


def owner_of(spec: PipelineSpec | None, table: str | None) -> Owner:
    """Who is told: the table's own owner beats the pipeline's."""
    if spec is None:
        return PLATFORM
    name = parsed_table(table)
    declared: list[tuple[str, Owner | None]] = [(gold.name, gold.owner) for gold in spec.gold]
    if name is not None and name.layer != Layer.GOLD and isinstance(spec, SourceSpec):
        declared = [(item.name, item.owner) for item in spec.tables]
    own = next((owner for item, owner in declared if name is not None and item == name.table), None)
    return own or spec.owner


def matters_to(specs: Mapping[str, PipelineSpec], pipeline: str, table: str | None) -> tuple[str, ...]:
    """Dotted tables made from the failed one, or from any of the pipeline, with the team that owns each; in order."""
    start = _first_reached(specs.get(pipeline), table)
    reached: dict[str, str] = {}
    frontier = set(start)
    while frontier:
        found = {name: team for name, team in _readers(specs.values(), frontier) if name not in reached}
        reached |= found
        frontier = set(found)
    return tuple(f"{name} ({team})" for name, team in sorted(reached.items()))


def still_visible(releases: Sequence[Release], pipeline: str, table: str | None) -> str:
    """What readers go on seeing, and as of when. ``releases`` are the current ones."""
    own = [release for release in releases if release.pipeline == pipeline and release.published_at is not None]
    for release in own:
        for item in release.tables:
            if item.table.dotted == table:
                return f"{table} stays at {_of(release)}{_rows(item)}."
    if not own:
        return f"Nothing of {pipeline} was ever released; readers see nothing of it yet."
    if parsed_table(table) is not None:
        return f"{table} was never released; readers see the other tables of {pipeline}."
    audited = [release for release in own if release.kind in {"audited", "rollback"}]
    newest = max(audited or own, key=lambda release: release.id)
    tables = "1 table" if len(newest.tables) == 1 else f"{len(newest.tables)} tables"
    return f"{pipeline} stays at {_of(newest)}, {tables}."


def _of(release: Release) -> str:
    moment = release.published_at or release.created_at
    return f"release {release.id} of {moment:%Y-%m-%d %H:%M} UTC"


def _rows(item: ReleasedTable) -> str:
    if item.rows is None:
        return ""
    told = {Layer.BRONZE: "its last batch {} rows", Layer.SILVER: "{} current rows"}.get(item.table.layer, "{} rows")
    return ", " + told.format(f"{item.rows:,}")


def _first_reached(spec: PipelineSpec | None, table: str | None) -> set[str]:
    """What is failed itself: the table, and its silver when it is bronze; every table when none is named."""
    name = parsed_table(table)
    if name is not None:
        silver = TableName(layer=Layer.SILVER, source=name.source, table=name.table).dotted
        return {name.dotted, silver} if name.layer == Layer.BRONZE else {name.dotted}
    if isinstance(spec, SourceSpec):
        return {spec.name_of(Layer.SILVER, item.name).dotted for item in spec.tables}
    return set() if spec is None else {spec.name_of(Layer.GOLD, item.name).dotted for item in spec.gold}


def _readers(specs: Iterable[PipelineSpec], inputs: set[str]) -> list[tuple[str, str]]:
    return [
        (spec.name_of(Layer.GOLD, gold.name).dotted, (gold.owner or spec.owner).team)
        for spec in specs
        for gold in spec.gold
        if any(read.dotted in inputs for read in gold.inputs)
    ]
