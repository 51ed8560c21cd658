"""``headwater lineage`` names what is upstream of bronze as its own kind of database does."""

from __future__ import annotations

from headwater.adapters.connections import EnvironmentConnections
from headwater.cli.lineage_tree import lineage_graph
from headwater.domain.spec import FilesExtract, Owner, Schedule, Silver, SourceSpec, SqlExtract, TableSpec


def source(connection: str) -> SourceSpec:
    silver = Silver(mode="upsert")
    tables = (
        TableSpec(name="orders", key=("id",), extract=SqlExtract(), silver=silver),
        TableSpec(
            name="files", key=("id",), extract=FilesExtract(path="in/*.csv", columns={"id": "int"}), silver=silver
        ),
    )
    return SourceSpec(name="shop", file="f", description="d", owner=Owner(team="t"), schedule=Schedule(manual=True),
                      connection=connection, tables=tables)  # fmt: skip


def test_the_relation_is_that_of_the_connections_kind() -> None:
    connections = EnvironmentConnections(environment={"AIRFLOW_CONN_MARIA": "mysql://app:s@db/shop"})
    graph = lineage_graph([source("maria")], connections)
    assert graph.upstreams["bronze.shop.orders"] == ("maria:shop.orders",)
    assert graph.upstreams["bronze.shop.files"] == ("maria:in/*.csv",)
    assert lineage_graph([source("gone")], connections).upstreams["bronze.shop.orders"] == ("gone:orders",)
