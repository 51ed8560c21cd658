"""Publish groups: which tables become visible together or not at all (rule 20)."""

from __future__ import annotations

from headwater.domain.names import Layer, TableName
from headwater.domain.spec import PipelineSpec, SourceSpec

PublishGroup = tuple[TableName, ...]


def publish_groups(spec: PipelineSpec) -> tuple[PublishGroup, ...]:
    """Silver and gold of one pipeline, connected by what its gold SQL reads of this pipeline.

    A silver table that no gold reads is a group of its own. Tables of other pipelines are never in a group: they are
    read through their releases. Groups and their tables are in the order of the spec, silver before gold.

    :param spec: loaded deeply, so that ``inputs`` of its gold is filled.
    """
    order = _own_tables(spec)
    leader = {table: table for table in order}
    for gold in spec.gold:
        name = spec.name_of(Layer.GOLD, gold.name)
        for table in (*(table for table in gold.inputs if table in leader), name):
            old, new = leader[table], leader[name]
            leader = {member: new if head == old else head for member, head in leader.items()}
    groups: dict[TableName, list[TableName]] = {}
    for table in order:
        groups.setdefault(leader[table], []).append(table)
    return tuple(tuple(group) for group in groups.values())


def _own_tables(spec: PipelineSpec) -> tuple[TableName, ...]:
    silver = spec.tables if isinstance(spec, SourceSpec) else ()
    gold = (spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)
    return (*(spec.name_of(Layer.SILVER, table.name) for table in silver), *gold)
