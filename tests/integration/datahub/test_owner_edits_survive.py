"""What people write in DataHub outlives every later emission."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater.adapters.datahub.rest_emitter import DataHubLineageEmitter
from headwater.domain.lineage import RunFacts

SILVER = "urn:li:dataset:(urn:li:dataPlatform:iceberg,lake.silver.flights__airlines,PROD)"
HAND = "urn:li:dataset:(urn:li:dataPlatform:postgres,crm.public.partners,PROD)"
JOB = "urn:li:dataJob:(urn:li:dataFlow:(airflow,flights,PROD),refine_to_silver)"


@pytest.fixture
def store(gms: Any, connections: Callable[..., Any], tmp_path: Path, run_facts: RunFacts) -> Any:
    """The server after a first emission, the owner's edits, and a second emission with news of our own."""
    emitter = DataHubLineageEmitter(connections(), "datahub", tmp_path / "spool")
    emitter.emit(run_facts)
    aspects = gms.store.aspects
    aspects[SILVER, "editableDatasetProperties"] = {"description": "What the owner wrote."}
    aspects[SILVER, "editableSchemaMetadata"] = {
        "editableSchemaFieldInfo": [{"fieldPath": "name", "description": "The owner's words."}]
    }
    aspects[SILVER, "globalTags"]["tags"].append({"tag": "urn:li:tag:gold_standard"})
    aspects[SILVER, "glossaryTerms"] = {"terms": [{"urn": "urn:li:glossaryTerm:Airline"}]}
    aspects[SILVER, "datasetProperties"]["customProperties"]["steward"] = "Ana"
    aspects[SILVER, "ownership"]["owners"] = [{"owner": "urn:li:corpuser:ana", "type": "DATAOWNER"}]
    aspects[SILVER, "domains"] = {"domains": ["urn:li:domain:partners"]}
    aspects["urn:li:domain:operations", "domainProperties"]["name"] = "Operations of the airports"
    aspects[SILVER, "upstreamLineage"]["upstreams"].append({"dataset": HAND, "type": "TRANSFORMED"})
    aspects[JOB, "dataJobInputOutput"]["inputDatasetEdges"].append({"destinationUrn": HAND})
    silver = run_facts.datasets[1].model_copy(update={"description": "News from the YAML.", "snapshot_id": 77})
    emitter.emit(run_facts.model_copy(update={"datasets": (run_facts.datasets[0], silver)}))
    return gms.store


def test_descriptions_people_wrote_stay_beside_the_sources_own(store: Any) -> None:
    assert store.aspects[SILVER, "editableDatasetProperties"] == {"description": "What the owner wrote."}
    assert store.aspects[SILVER, "datasetProperties"]["description"] == "News from the YAML."
    (column,) = store.aspects[SILVER, "editableSchemaMetadata"]["editableSchemaFieldInfo"]
    assert column["description"] == "The owner's words."


def test_added_tags_terms_and_properties_stay(store: Any) -> None:
    tags = [tag["tag"] for tag in store.aspects[SILVER, "globalTags"]["tags"]]
    assert sorted(tags) == ["urn:li:tag:gold_standard", "urn:li:tag:pii"]
    assert store.aspects[SILVER, "glossaryTerms"] == {"terms": [{"urn": "urn:li:glossaryTerm:Airline"}]}
    properties = store.aspects[SILVER, "datasetProperties"]["customProperties"]
    assert properties["steward"] == "Ana"
    assert properties["headwater.snapshot_id"] == "77"


def test_owners_and_domain_people_changed_stay_as_they_are(store: Any) -> None:
    assert [each["owner"] for each in store.aspects[SILVER, "ownership"]["owners"]] == ["urn:li:corpuser:ana"]
    assert store.aspects[SILVER, "domains"] == {"domains": ["urn:li:domain:partners"]}
    assert store.aspects["urn:li:domain:operations", "domainProperties"]["name"] == "Operations of the airports"


def test_lineage_people_drew_stays(store: Any) -> None:
    upstreams = [each["dataset"] for each in store.aspects[SILVER, "upstreamLineage"]["upstreams"]]
    assert HAND in upstreams
    assert len(upstreams) == 2
    edges = [each["destinationUrn"] for each in store.aspects[JOB, "dataJobInputOutput"]["inputDatasetEdges"]]
    assert HAND in edges


def test_owners_are_written_where_nobody_was_named(store: Any) -> None:
    bronze = SILVER.replace("silver", "bronze")
    owners = store.aspects[bronze, "ownership"]["owners"]
    assert [each["owner"] for each in owners] == ["urn:li:corpGroup:aviation-data"]
