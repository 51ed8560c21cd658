"""What DataHub is told about a table: description, columns, classification, where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headwater.adapters.datahub.proposals import Event, millis, replace, write_once
from headwater.adapters.datahub.schema_metadata import schema_metadata
from headwater.adapters.datahub.urns import ACTOR, domain_urn, field_urn, group_urn, tag_urn, upstream_urn
from headwater.domain.lineage import ColumnLineage, DatasetFacts, RunFacts
from headwater.domain.names import Layer

if TYPE_CHECKING:
    from datahub.metadata.schema_classes import FineGrainedLineageClass


def dataset_events(dataset: DatasetFacts, facts: RunFacts) -> Iterator[Event]:
    """Everything about one table that is no measurement of this run."""
    from datahub.metadata import schema_classes as aspects

    urn = dataset.table.urn
    yield from _patches(dataset, facts)
    yield replace(urn, aspects.SubTypesClass(typeNames=["Table"]))
    yield replace(urn, schema_metadata(dataset))
    group = aspects.OwnerClass(owner=group_urn(dataset.owner.team), type="TECHNICAL_OWNER")
    yield write_once(urn, aspects.OwnershipClass(owners=[group]))
    if dataset.domain:
        yield write_once(urn, aspects.DomainsClass(domains=[domain_urn(dataset.domain)]))


def domain_events(facts: RunFacts) -> Iterator[Event]:
    """The domains the run's tables belong to; one that exists keeps the name it has."""
    from datahub.metadata.schema_classes import DomainPropertiesClass

    for domain in sorted({dataset.domain for dataset in facts.datasets if dataset.domain}):
        yield write_once(domain_urn(domain), DomainPropertiesClass(name=domain))


def measurement_events(dataset: DatasetFacts, facts: RunFacts) -> Iterator[Event]:
    """The table's size after the run, and that it changed, if it did."""
    from datahub.metadata import schema_classes as aspects

    ended = millis(facts.ended_at)
    if dataset.rows is not None:
        columns = len(dataset.schema_.columns)
        profile = aspects.DatasetProfileClass(timestampMillis=ended, rowCount=dataset.rows, columnCount=columns)
        yield replace(dataset.table.urn, profile)
    if dataset.moved:
        details = {"run_key": facts.run_key, "release": facts.release, "snapshot_id": dataset.snapshot_id}
        yield replace(
            dataset.table.urn,
            aspects.OperationClass(
                timestampMillis=ended,
                lastUpdatedTimestamp=ended,
                operationType="INSERT" if dataset.table.layer == Layer.BRONZE else "UPDATE",
                actor=ACTOR,
                numAffectedRows=dataset.rows_added,
                customProperties={key: str(value) for key, value in details.items() if value is not None},
            ),
        )


def _patches(dataset: DatasetFacts, facts: RunFacts) -> list[Event]:
    from datahub.metadata import schema_classes as aspects
    from datahub.specific.dataset import DatasetPatchBuilder

    table = dataset.table
    patch = DatasetPatchBuilder(table.urn)
    patch.set_display_name(f"{table.source}.{table.table}").set_qualified_name(table.iceberg)
    patch.set_description(dataset.description)
    patch.add_custom_properties({"headwater.layer": table.layer.value, "headwater.pipeline": facts.pipeline})
    if dataset.moved and dataset.snapshot_id is not None:
        patch.add_custom_property("headwater.snapshot_id", str(dataset.snapshot_id))
    if dataset.moved and facts.release:
        patch.add_custom_property("headwater.release", facts.release)
    if dataset.source_changes:
        told = f"{facts.ended_at:%Y-%m-%d %H:%M} UTC: {dataset.source_changes}"
        patch.add_custom_property("headwater.source_changes", told)
    for classification in sorted(set(dataset.classifications.values())):
        patch.add_tag(aspects.TagAssociationClass(tag=tag_urn(classification)))
    for upstream in dataset.upstreams:
        source = upstream_urn(upstream, facts.sources)
        patch.add_upstream_lineage(aspects.UpstreamClass(dataset=source, type="TRANSFORMED"))
    for column in dataset.columns:
        if column.inputs:
            patch.add_fine_grained_lineage(_fine_grained(column, dataset, facts))
    return list(patch.build())


def _fine_grained(column: ColumnLineage, dataset: DatasetFacts, facts: RunFacts) -> FineGrainedLineageClass:
    from datahub.metadata.schema_classes import FineGrainedLineageClass

    # The operation is part of the key an edge is patched by: an expression there would leave an edge per edit.
    return FineGrainedLineageClass(
        upstreamType="FIELD_SET",
        downstreamType="FIELD",
        upstreams=[field_urn(upstream_urn(source, facts.sources), name) for source, name in column.inputs],
        downstreams=[field_urn(dataset.table.urn, column.column)],
        transformOperation="TRANSFORM" if column.transformation else "IDENTITY",
        confidenceScore=1.0,
    )
