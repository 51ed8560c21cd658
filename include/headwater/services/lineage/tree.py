"""Where a table comes from and what is made of it, as a tree for people."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal

from headwater.domain.base import Value
from headwater.domain.errors import NotFoundError
from headwater.domain.lineage import DatasetFacts


class ColumnLink(Value):
    """One column flows into another.

    :param transformation: the SQL on the way; empty for a plain copy.
    """

    source: str
    target: str
    transformation: str = ""


class LineageNode(Value):
    """A table on the way.

    :param name: dotted table, or ``source:<connection>:<relation>``.
    :param links: columns between this table and the one it hangs on; data flows from source to target.
    :param nodes: the tables beyond, further away from the one that was asked for.
    """

    name: str
    links: tuple[ColumnLink, ...] = ()
    nodes: tuple[LineageNode, ...] = ()


class LineageTree(Value):
    table: str
    upstreams: tuple[LineageNode, ...]
    downstreams: tuple[LineageNode, ...]


def lineage_tree(datasets: Sequence[DatasetFacts], table: str) -> LineageTree:
    """The tree of one table.

    :param datasets: tables of every pipeline that may touch it, of ``pipeline_datasets``.
    :param table: dotted table, or a source relation.
    :raises NotFoundError: when no dataset makes or reads it, naming near misses.
    """
    known = {item.table.dotted: item for item in datasets}
    names = sorted({*known, *(upstream for item in datasets for upstream in item.upstreams)})
    if table not in names:
        near = get_close_matches(table, names, n=3, cutoff=0.5)
        raise NotFoundError(
            f"there is no table {table}",
            got=table,
            allowed=", ".join(near or names[:10]),
            remedy="`uv run headwater tables` lists every table; write it as <layer>.<source>.<table>.",
        )
    return LineageTree(
        table=table,
        upstreams=_beyond(known, table, "up", (table,)),
        downstreams=_beyond(known, table, "down", (table,)),
    )


def _beyond(
    known: dict[str, DatasetFacts], name: str, way: Literal["up", "down"], path: tuple[str, ...]
) -> tuple[LineageNode, ...]:
    """Nodes that hang on ``name``. ``path`` ends a circle, which only a wrong model could hold."""
    if way == "up":
        made = known.get(name)
        neighbours = made.upstreams if made is not None else ()
    else:
        neighbours = tuple(item.table.dotted for item in known.values() if name in item.upstreams)
    return tuple(
        LineageNode(
            name=neighbour,
            links=_links(known, neighbour, name) if way == "up" else _links(known, name, neighbour),
            nodes=_beyond(known, neighbour, way, (*path, neighbour)),
        )
        for neighbour in neighbours
        if neighbour not in path
    )


def _links(known: dict[str, DatasetFacts], source: str, target: str) -> tuple[ColumnLink, ...]:
    return tuple(
        ColumnLink(source=name, target=column.column, transformation=column.transformation)
        for column in known[target].columns
        for table, name in column.inputs
        if table == source
    )
