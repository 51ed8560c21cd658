"""Pipelines that wait for one another: tables of which none can be made first, runs of which none can begin."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from headwater.domain.names import Layer, TableName
from headwater.domain.spec import PipelineSpec
from headwater.model.schedules import Finding

_Edges = Mapping[str, Collection[str]]


def circles_between(specs: Sequence[PipelineSpec]) -> Iterator[tuple[str, Finding]]:
    """Circles through more than one pipeline's gold, and among pipelines that start when another has released.

    :param specs: loaded deeply, so that ``inputs`` of gold is filled.
    :return: the pipeline of each finding, and the finding.
    """
    owners = {spec.name_of(Layer.GOLD, gold.name).dotted: spec.name for spec in specs for gold in spec.gold}
    reads = {
        spec.name_of(Layer.GOLD, gold.name).dotted: [table.dotted for table in gold.inputs]
        for spec in specs
        for gold in spec.gold
    }
    starts = {spec.name: [TableName.parse(asset).source for asset in spec.schedule.assets] for spec in specs}
    for spec in specs:
        for gold in spec.gold:
            circle = _circle(spec.name_of(Layer.GOLD, gold.name).dotted, reads)
            # within one pipeline its own file tells
            if len({owners[table] for table in circle}) > 1:
                message = "these gold tables read one another in a circle, so none can be made first"
                allowed = "inputs that are made before the table"
                yield spec.name, (("gold", gold.name), message, ", ".join(circle), allowed)
        circle = _circle(spec.name, starts)
        if circle:
            message = "these pipelines start one another in a circle, so none begins by itself"
            yield spec.name, (("schedule", "assets"), message, ", ".join(circle), "assets of pipelines upstream")


def _circle(start: str, edges: _Edges) -> tuple[str, ...]:
    """A way from ``start`` back to itself, or nothing."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = set[str]()
    while ways:
        way = ways.pop()
        for following in edges.get(way[-1], ()):
            if following == start:
                return way
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ()
