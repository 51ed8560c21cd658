"""What is sent is what DataHub's own classes and registry know, and says what the run's facts say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from datahub.metadata.schema_classes import ENTITY_TYPE_TO_ASPECT_NAMES

from headwater.adapters.datahub.event_file import to_document, to_event
from headwater.adapters.datahub.metadata_events import metadata_events
from headwater.adapters.datahub.proposals import Event
from headwater.adapters.datahub.urns import upstream_urn
from headwater.domain.lineage import RunFacts, SourcePlace

SILVER = "urn:li:dataset:(urn:li:dataPlatform:iceberg,lake.silver.flights__airlines,PROD)"
BRONZE = "urn:li:dataset:(urn:li:dataPlatform:iceberg,lake.bronze.flights__airlines,PROD)"
SOURCE = "urn:li:dataset:(urn:li:dataPlatform:postgres,aviation.public.airlines,PROD)"


@pytest.fixture
def events(run_facts: RunFacts) -> list[Event]:
    return metadata_events(run_facts)


def aspect(events: list[Event], urn: str, name: str) -> Any:
    """The one replaced aspect of that name."""
    (found,) = [event for event in events if (event.entityUrn, event.aspectName) == (urn, name)]
    return found.aspect


def patches(events: list[Event], urn: str, name: str) -> list[dict[str, Any]]:
    content = json.loads(aspect(events, urn, name).value)
    return list(content["patch"] if isinstance(content, dict) else content)


def test_every_event_is_allowed_by_the_registry_shipped_with_datahub(events: list[Event]) -> None:
    assert len(events) > 40
    for event in events:
        assert event.aspectName in ENTITY_TYPE_TO_ASPECT_NAMES[event.entityType], event.aspectName


def test_every_event_comes_back_equal_through_datahubs_own_classes(events: list[Event]) -> None:
    for event in events:
        document = to_document(event)
        again = to_event(json.loads(json.dumps(document)))
        assert again.validate()
        raw = again.to_obj()
        assert raw == event.to_obj()


def test_the_same_facts_give_the_same_events(run_facts: RunFacts) -> None:
    first, second = metadata_events(run_facts), metadata_events(run_facts)
    assert [event.to_obj() for event in first] == [event.to_obj() for event in second]


def test_flow_job_and_datasets_share_the_environment_in_upper_case(events: list[Event]) -> None:
    urns = {event.entityUrn for event in events}
    assert "urn:li:dataFlow:(airflow,flights,PROD)" in urns
    assert "urn:li:dataJob:(urn:li:dataFlow:(airflow,flights,PROD),refine_to_silver)" in urns
    assert not [urn for urn in urns if urn and ",prod)" in urn]


def test_bronze_comes_from_the_source_relation_column_by_column(events: list[Event]) -> None:
    paths = [patch["path"] for patch in patches(events, BRONZE, "upstreamLineage")]
    assert f"/upstreams/{SOURCE}" in paths
    down, up = f"urn:li:schemaField:({BRONZE},name)", f"urn:li:schemaField:({SOURCE},name)"
    assert f"/fineGrainedLineages/IDENTITY/{down}/NONE/{up}" in paths


def test_a_computed_column_is_told_apart_and_keeps_its_expression(events: list[Event]) -> None:
    down, up = f"urn:li:schemaField:({SILVER},name)", f"urn:li:schemaField:({BRONZE},name)"
    paths = [patch["path"] for patch in patches(events, SILVER, "upstreamLineage")]
    assert f"/fineGrainedLineages/TRANSFORM/{down}/NONE/{up}" in paths
    (field,) = [field for field in aspect(events, SILVER, "schemaMetadata").fields if field.fieldPath == "name"]
    assert json.loads(field.jsonProps) == {"headwater.expression": "trim(name) || '/~'"}


def test_classified_columns_carry_full_tag_urns_on_column_and_table(events: list[Event]) -> None:
    fields = {field.fieldPath: field for field in aspect(events, SILVER, "schemaMetadata").fields}
    assert [tag.tag for tag in fields["contact_email"].globalTags.tags] == ["urn:li:tag:pii"]
    assert fields["name"].globalTags is None
    assert [patch["value"]["tag"] for patch in patches(events, SILVER, "globalTags")] == ["urn:li:tag:pii"]


def test_iceberg_types_become_datahubs(events: list[Event]) -> None:
    fields = {field.fieldPath: field for field in aspect(events, SILVER, "schemaMetadata").fields}
    kinds = {name: type(field.type.type).__name__ for name, field in fields.items()}
    assert kinds["carrier"] == "StringTypeClass"
    assert kinds["fee"] == "NumberTypeClass"
    assert kinds["seen"] == "TimeTypeClass"
    assert kinds["tags"] == "ArrayTypeClass"
    assert fields["fee"].nativeDataType == "decimal(9,2)"


def test_stages_read_and_write_the_tables_of_their_layer(events: list[Event]) -> None:
    job = "urn:li:dataJob:(urn:li:dataFlow:(airflow,flights,PROD),refine_to_silver)"
    paths = [patch["path"] for patch in patches(events, job, "dataJobInputOutput")]
    assert paths == [f"/inputDatasetEdges/{BRONZE}", f"/outputDatasetEdges/{SILVER}"]


def test_a_check_is_one_custom_assertion_with_its_counts(events: list[Event]) -> None:
    urns = [event.entityUrn for event in events if event.aspectName == "assertionInfo"]
    found = {}
    for urn in urns:
        assert urn is not None
        info, outcome = aspect(events, urn, "assertionInfo"), aspect(events, urn, "assertionRunEvent")
        assert (info.type, info.customAssertion.entity) == ("CUSTOM", SILVER)
        found[info.description] = (outcome.result.type, outcome.result.rowCount, outcome.result.unexpectedCount)
    assert found == {
        "carrier is never doubled": ("SUCCESS", 16, 0),
        "mail looks like mail": ("SUCCESS", 16, 1),
        "there are rows": ("FAILURE", None, None),
        "revenue": ("ERROR", None, None),
    }


def test_an_assertion_keeps_its_urn_when_name_and_threshold_change(run_facts: RunFacts) -> None:
    silver = run_facts.datasets[1]
    assert silver.verdict is not None
    checks = tuple(check.model_copy(update={"name": "other", "threshold": "1"}) for check in silver.verdict.checks)
    verdict = silver.verdict.model_copy(update={"checks": checks})
    datasets = (run_facts.datasets[0], silver.model_copy(update={"verdict": verdict}))
    changed = metadata_events(run_facts.model_copy(update={"datasets": datasets}))

    def urns(events: list[Event]) -> list[str | None]:
        return [event.entityUrn for event in events if event.aspectName == "assertionInfo"]

    assert urns(changed) == urns(metadata_events(run_facts))


def test_values_of_offending_rows_stay_at_home(events: list[Event]) -> None:
    assert "secret@example.com" not in json.dumps([event.to_obj() for event in events])


def test_only_a_table_that_moved_has_an_operation(events: list[Event]) -> None:
    moved = [event.entityUrn for event in events if event.aspectName == "operation"]
    assert moved == [BRONZE, SILVER]
    profiled = {event.entityUrn for event in events if event.aspectName == "datasetProfile"}
    assert len(profiled) == 3


def test_a_landing_folder_is_a_file_dataset_under_its_connection() -> None:
    urn = upstream_urn("source:landing:weather/*.csv", {"landing": SourcePlace(platform="file")})
    assert urn == "urn:li:dataset:(urn:li:dataPlatform:file,landing/weather/*.csv,PROD)"


@pytest.mark.parametrize(
    ("place", "relation", "name"),
    [
        (SourcePlace(platform="postgres", database="shop", schema_name="public"), "orders", "shop.public.orders"),
        (SourcePlace(platform="postgres", schema_name="public"), "sales.orders", "db.sales.orders"),
        (SourcePlace(platform="mysql", database="shop"), "orders", "shop.orders"),
        (SourcePlace(platform="mariadb", database="shop"), "other.orders", "other.orders"),
        (SourcePlace(platform="mssql", database="shop", schema_name="dbo"), "orders", "shop.dbo.orders"),
        (SourcePlace(platform="oracle", schema_name="APP"), "orders", "app.orders"),
        (SourcePlace(platform="oracle", database="FREE"), "HR.Staff", "hr.Staff"),
        (SourcePlace(platform="sqlite", database="shop.db"), "main.orders", "db.orders"),
    ],
)
def test_a_relation_is_named_as_datahubs_own_connector_does(place: SourcePlace, relation: str, name: str) -> None:
    """A table without ``relation`` is where its connection leads to."""
    urn = upstream_urn(f"source:db:{relation}", {"db": place})
    assert urn == f"urn:li:dataset:(urn:li:dataPlatform:{place.platform},{name},PROD)"


def test_what_a_source_changed_is_a_property_of_the_table(run_facts: RunFacts) -> None:
    first, *others = run_facts.datasets
    changed = first.model_copy(update={"source_changes": "column seats may be NULL now"})
    told = metadata_events(run_facts.model_copy(update={"datasets": (changed, *others)}))
    texts = [str(patch.get("value")) for patch in patches(told, first.table.urn, "datasetProperties")]
    assert any(text.endswith("UTC: column seats may be NULL now") for text in texts)
