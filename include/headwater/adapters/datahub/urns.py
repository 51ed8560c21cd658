"""DataHub's names for Headwater's things. Every emitter of the stack must agree on them to the letter."""

from __future__ import annotations

from headwater.domain.lineage import RunFacts, SourcePlace
from headwater.domain.names import TableName

ENVIRONMENT = "PROD"
"""Upper case in dataset and flow URNs alike: a lower-case flow would be a second flow."""
ORCHESTRATOR = "airflow"
ACTOR = "urn:li:corpuser:headwater"
_SOURCE = "source:"
_WITHOUT_SCHEMAS = ("mysql", "mariadb")


def flow_urn(pipeline: str) -> str:
    """``urn:li:dataFlow:(airflow,<dag id>,PROD)``."""
    return f"urn:li:dataFlow:({ORCHESTRATOR},{pipeline},{ENVIRONMENT})"


def job_urn(pipeline: str, task_id: str) -> str:
    """``urn:li:dataJob:(<flow>,<task id>)``."""
    return f"urn:li:dataJob:({flow_urn(pipeline)},{task_id})"


def group_urn(team: str) -> str:
    """An owning team."""
    return f"urn:li:corpGroup:{team}"


def domain_urn(domain: str) -> str:
    """A domain of the business."""
    return f"urn:li:domain:{domain}"


def tag_urn(classification: str) -> str:
    """The tag a classification becomes, always as a full URN."""
    return f"urn:li:tag:{classification}"


def upstream_urn(upstream: str, sources: dict[str, SourcePlace]) -> str:
    """The dataset an upstream of ``DatasetFacts`` means: an Iceberg table, or a relation of a source.

    A relation is named as DataHub's own connectors name it: ``<database>.<schema>.<table>`` by PostgreSQL's and SQL
    Server's, ``<database>.<table>`` where a database is all there is of schemas, ``<schema>.<table>`` by Oracle's, with
    names of capitals in lower case. SQLite and landing folders have none: ``<connection>.<table>``,
    ``<connection>/<path>``.
    """
    from datahub.emitter.mce_builder import make_dataset_urn

    if not upstream.startswith(_SOURCE):
        return TableName.parse(upstream).urn
    connection, _, relation = upstream.removeprefix(_SOURCE).partition(":")
    place = sources.get(connection) or SourcePlace(platform="postgres", schema_name="public")
    return make_dataset_urn(place.platform, _relation(place, connection, relation), ENVIRONMENT)


def _relation(place: SourcePlace, connection: str, relation: str) -> str:
    start = place.database or connection
    if place.platform == "file":
        return f"{start}/{relation}"
    if place.platform == "sqlite":
        return f"{connection}.{relation.removeprefix('main.')}"
    if place.platform in _WITHOUT_SCHEMAS:
        return relation if "." in relation else f"{start}.{relation}"
    whole = relation if "." in relation else f"{place.schema_name or start}.{relation}"
    if place.platform == "oracle":
        return ".".join(part.lower() if part == part.upper() else part for part in whole.split(".", 1))
    return f"{start}.{whole}"


def field_urn(dataset: str, column: str) -> str:
    """One column of a dataset."""
    from datahub.emitter.mce_builder import make_schema_field_urn

    return make_schema_field_urn(dataset, column)


def check_urn(table: TableName, path: str) -> str:
    """The assertion of one check: stable as long as the check keeps its path inside the contract."""
    from datahub.emitter.mce_builder import datahub_guid, make_assertion_urn

    return make_assertion_urn(datahub_guid({"dataset": table.urn, "check": path}))


def process_urn(facts: RunFacts, task_id: str | None = None) -> str:
    """A run, or one stage of it, among process instances; the run key makes it unique (rule 1)."""
    from datahub.api.entities.dataprocess.dataprocess_instance import DataProcessInstanceKey
    from datahub.metadata.urns import DataProcessInstanceUrn

    name = facts.run_key if task_id is None else f"{facts.run_key}/{task_id}"
    key = DataProcessInstanceKey(cluster=ENVIRONMENT, orchestrator=ORCHESTRATOR, id=name)
    return str(DataProcessInstanceUrn(key.guid()))
