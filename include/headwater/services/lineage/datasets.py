"""A pipeline's tables as a catalogue of metadata knows them, of no run in particular."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.domain.lineage import DatasetFacts
from headwater.domain.names import Layer
from headwater.domain.schema import TableSchema
from headwater.domain.spec import GoldSpec, PipelineSpec, SourceSpec, TableSpec
from headwater.ports.model import SqlLineage
from headwater.services.lineage.columns import bronze_columns, gold_columns, silver_columns, source_relation


def pipeline_datasets(
    spec: PipelineSpec, schemas: Mapping[str, TableSchema], sql_lineage: SqlLineage
) -> tuple[DatasetFacts, ...]:
    """Every table a pipeline makes, in the order it is made, with where each column comes from; of no run.

    A table that ``schemas`` lacks has no columns of its own yet; what its SQL and rules say is there all the same.
    """
    found = []
    if isinstance(spec, SourceSpec):
        found += [_bronze(spec, table, schemas) for table in spec.tables]
        found += [_silver(spec, table, schemas, sql_lineage) for table in spec.tables]
    return (*found, *(_gold(spec, gold, schemas, sql_lineage) for gold in spec.gold))


def _bronze(spec: SourceSpec, table: TableSpec, schemas: Mapping[str, TableSchema]) -> DatasetFacts:
    name = spec.name_of(Layer.BRONZE, table.name)
    schema = schemas.get(name.dotted, TableSchema(columns=()))
    docs = {column: rule.description for column, rule in table.columns.items()}
    return DatasetFacts(
        table=name,
        description=table.description,
        owner=table.owner or spec.owner,
        domain=spec.domain,
        schema_=_documented(schema, docs, table.key),
        classifications=_classified(table),
        upstreams=(source_relation(spec, table),),
        columns=bronze_columns(spec, table, schema),
    )


def _silver(
    spec: SourceSpec, table: TableSpec, schemas: Mapping[str, TableSchema], sql_lineage: SqlLineage
) -> DatasetFacts:
    name, bronze = spec.name_of(Layer.SILVER, table.name), spec.name_of(Layer.BRONZE, table.name).dotted
    columns = silver_columns(spec, table, schemas.get(bronze, TableSchema(columns=())), sql_lineage)
    renamed = {column: rule.rename or column for column, rule in table.columns.items()}
    docs = {renamed[column]: rule.description for column, rule in table.columns.items()}
    classified = _classified(table)
    # What is made of a classified column stays classified: silver SQL has no rules that could say otherwise.
    inherited = {
        lineage.column: classified[source]
        for lineage in columns
        for _, source in lineage.inputs
        if source in classified
    }
    own = {renamed[column]: classification for column, classification in classified.items()}
    key = tuple(renamed.get(column, column) for column in table.key)
    return DatasetFacts(
        table=name,
        description=table.description,
        owner=table.owner or spec.owner,
        domain=spec.domain,
        schema_=_documented(schemas.get(name.dotted, TableSchema(columns=())), docs, key),
        classifications=inherited if table.sql is not None else {**inherited, **own},
        upstreams=(bronze,),
        columns=columns,
    )


def _gold(
    spec: PipelineSpec, gold: GoldSpec, schemas: Mapping[str, TableSchema], sql_lineage: SqlLineage
) -> DatasetFacts:
    name = spec.name_of(Layer.GOLD, gold.name)
    return DatasetFacts(
        table=name,
        description=gold.description,
        owner=gold.owner or spec.owner,
        domain=spec.domain,
        schema_=_documented(schemas.get(name.dotted, TableSchema(columns=())), {}, gold.grain),
        upstreams=tuple(item.dotted for item in gold.inputs),
        columns=gold_columns(gold, schemas, sql_lineage),
    )


def _classified(table: TableSpec) -> dict[str, str]:
    return {column: rule.classification for column, rule in table.columns.items() if rule.classification is not None}


def _documented(schema: TableSchema, docs: Mapping[str, str | None], key: tuple[str, ...]) -> TableSchema:
    """The live columns with the YAML's words on them, and the declared key."""
    columns = tuple(column.model_copy(update={"doc": docs.get(column.name) or column.doc}) for column in schema.columns)
    return TableSchema(columns=columns, primary_key=key)
