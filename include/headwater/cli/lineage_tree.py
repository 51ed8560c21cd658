"""Where a table comes from and what is made of it, as the YAML and SQL files say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.tree import Tree

from headwater.domain.lineage import SourcePlace
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import FilesExtract, PipelineSpec, SourceSpec, TableSpec
from headwater.ports.connections import Connections
from headwater.services.lineage.places import known_places, relation_at


@dataclass(frozen=True)
class LineageGraph:
    """Table -> what it is made of: other tables, or ``<connection>:<relation>`` at the source."""

    upstreams: Mapping[str, tuple[str, ...]]

    def downstreams(self, table: str) -> tuple[str, ...]:
        """Tables made of this one."""
        return tuple(name for name, inputs in self.upstreams.items() if table in inputs)

    def tree(self, table: str) -> Tree:
        """The table with both directions below it."""
        root = Tree(f"[bold]{table}[/bold]")
        for title, names, up in (("made of", self.upstreams[table], True), ("used by", self.downstreams(table), False)):
            branch = root.add(title) if names else root
            for name in names:
                self._grow(branch, name, up=up)
        return root

    def _grow(self, branch: Tree, table: str, *, up: bool) -> None:
        node = branch.add(table)
        for name in self.upstreams.get(table, ()) if up else self.downstreams(table):
            self._grow(node, name, up=up)


def lineage_graph(specs: Sequence[PipelineSpec], connections: Connections) -> LineageGraph:
    """The graph of all tables of these pipelines. It has no cycle: gold reads silver and gold of finished releases.

    :param connections: say what kind of database a source is, and so how it names its relations.
    """
    places = known_places(connections, frozenset(spec.connection for spec in specs if isinstance(spec, SourceSpec)))
    upstreams: dict[str, tuple[str, ...]] = {}
    for spec in specs:
        for table in spec.tables if isinstance(spec, SourceSpec) else ():
            bronze = TableName(layer=Layer.BRONZE, source=spec.name, table=table.name).dotted
            connection = getattr(spec, "connection", "")
            upstreams[bronze] = (f"{connection}:{_relation(table, places.get(connection))}",)
            upstreams[spec.name_of(Layer.SILVER, table.name).dotted] = (bronze,)
        for gold in spec.gold:
            upstreams[spec.name_of(Layer.GOLD, gold.name).dotted] = tuple(item.dotted for item in gold.inputs)
    return LineageGraph(upstreams)


def _relation(table: TableSpec, place: SourcePlace | None) -> str:
    if isinstance(table.extract, FilesExtract):
        return table.extract.path
    return relation_at(place, table.extract.relation or table.name)
