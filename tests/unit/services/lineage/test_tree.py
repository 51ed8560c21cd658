"""The tree of a table: where it comes from, and whom it feeds."""

from __future__ import annotations

import pytest

from headwater.domain.errors import NotFoundError
from headwater.domain.lineage import ColumnLineage, DatasetFacts
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import GoldSpec, Owner, ProductSpec, Schedule, SourceSpec
from headwater.model.sql.lineage import column_lineage
from headwater.services.lineage.datasets import pipeline_datasets
from headwater.services.lineage.tree import ColumnLink, lineage_tree

OWNER = Owner(team="aviation-data")
PRODUCT = ProductSpec(
    name="delays",
    file="dags/products/delays.yaml",
    description="Delays.",
    owner=OWNER,
    schedule=Schedule(manual=True),
    gold=(
        GoldSpec(
            name="by_model",
            grain=("model",),
            sql="SELECT model AS kind FROM gold.flights.fleet",
            inputs=(TableName.parse("gold.flights.fleet"),),
        ),
    ),
)


def test_the_tree_reaches_from_the_source_to_other_pipelines(
    source: SourceSpec, schemas: dict[str, TableSchema]
) -> None:
    everything = [
        *pipeline_datasets(source, schemas, column_lineage),
        *pipeline_datasets(PRODUCT, schemas, column_lineage),
    ]
    tree = lineage_tree(everything, "silver.flights.planes")
    (bronze,) = tree.upstreams
    assert bronze.name == "bronze.flights.planes"
    assert [node.name for node in bronze.nodes] == ["source:flights_db:fleet.planes"]
    assert ColumnLink(source="owner_mail", target="contact") in bronze.links
    (gold,) = tree.downstreams
    assert gold.name == "gold.flights.fleet"
    assert "tailnum" in [link.source for link in gold.links if link.target == "first"]
    assert [node.name for node in gold.nodes] == ["gold.delays.by_model"]
    assert gold.nodes[0].links == (ColumnLink(source="model", target="kind", transformation="model"),)


def test_a_source_relation_has_a_tree_too(source: SourceSpec, schemas: dict[str, TableSchema]) -> None:
    tree = lineage_tree(pipeline_datasets(source, schemas, column_lineage), "source:flights_db:fleet.planes")
    assert tree.upstreams == ()
    assert [node.name for node in tree.downstreams] == ["bronze.flights.planes"]


def test_a_misspelt_table_names_its_neighbours(source: SourceSpec, schemas: dict[str, TableSchema]) -> None:
    with pytest.raises(NotFoundError) as caught:
        lineage_tree(pipeline_datasets(source, schemas, column_lineage), "silver.flights.plane")
    assert caught.value.allowed is not None
    assert caught.value.allowed.startswith("silver.flights.planes")


def test_a_circle_of_tables_ends_the_tree() -> None:
    def looped(table: str, upstream: str) -> DatasetFacts:
        return DatasetFacts(
            table=TableName(layer=Layer.GOLD, source="loop", table=table),
            description=None,
            owner=OWNER,
            domain=None,
            schema_=TableSchema(columns=(Column(name="x", type="string"),)),
            upstreams=(upstream,),
            columns=(ColumnLineage(column="x", inputs=((upstream, "x"),)),),
        )

    tree = lineage_tree([looped("a", "gold.loop.b"), looped("b", "gold.loop.a")], "gold.loop.a")
    assert [node.name for node in tree.upstreams] == ["gold.loop.b"]
    assert tree.upstreams[0].nodes == ()
