"""What is known around a failure: standard facts, links, channels, and what was done before anyone was told."""

from __future__ import annotations

from urllib.parse import quote

from headwater.domain.duration import format_duration
from headwater.domain.errors import NotPermittedError
from headwater.domain.extract_errors import RowsHiddenError
from headwater.domain.incident import Failure, Link
from headwater.domain.lineage import SourcePlace
from headwater.domain.names import Layer, TableName
from headwater.domain.settings import Settings
from headwater.domain.spec import Owner, PipelineSpec, SourceSpec
from headwater.services.incidents.audience import owner_of, parsed_table
from headwater.services.incidents.granting import exemption_statement, grant_statement
from headwater.services.incidents.offending import offending_rows
from headwater.services.lineage.places import relation_at

MOST_TABLES_NAMED = 8
PLATFORM_PIPELINE = "headwater"
"""Incidents of the installation itself are filed under it; it has no runs."""


def channels_for(owner: Owner, settings: Settings) -> tuple[str, ...]:
    """The profile's channels that can reach this owner; mail needs an address, Slack's webhook has its own channel."""
    return tuple(channel for channel in settings.alerts.channels if channel != "email" or owner.email)


def standard_facts(failure: Failure, spec: PipelineSpec | None, place: SourcePlace | None = None) -> dict[str, str]:
    """Facts every failure has, and those the spec gives for its table; the failure's own facts come on top.

    :param place: what the connection of a source leads to; None where nobody knows.
    """
    facts = {
        "pipeline": failure.pipeline,
        "run_id": failure.run_id,
        "task": task_of(failure),
        "team": owner_of(spec, failure.table).team,
        "spec_file": f"dags/sources/{failure.pipeline}.yaml" if spec is None else spec.file,
        "seen_at": f"{failure.seen_at:%Y-%m-%d %H:%M} UTC",
    }
    facts |= {"table": failure.table} if failure.table else {}
    facts |= _source_facts(spec) if isinstance(spec, SourceSpec) else {}
    facts |= {} if spec is None else {"lease_wait": format_duration(spec.lease_wait)}
    facts |= {"reason": failure.facts.get("got") or failure.message}
    name = parsed_table(failure.table)
    facts |= {} if name is None else _table_facts(name, spec, place)
    relation, login = failure.facts.get("relation"), failure.facts.get("login")
    if failure.cause == NotPermittedError.code and relation and login:
        facts["grant_sql"] = grant_statement(place, relation, login)
    if failure.cause == RowsHiddenError.code and login:
        facts["exempt_sql"] = exemption_statement(place, login)
    predicate = failure.facts.get("predicate")
    if name is not None and predicate and isinstance(spec, SourceSpec):
        statement = offending_rows(spec, name, predicate, place)
        facts |= {} if statement is None else {"offending_sql": statement}
    return facts


def task_of(failure: Failure) -> str:
    """The task's id; a stage that reports a table by itself adds the table behind a colon."""
    return failure.task_id.partition(":")[0]


def links_of(failure: Failure, runbook: str, settings: Settings) -> tuple[Link, ...]:
    """Run, log, table and runbook; what has no address in this installation is left out."""
    base = (settings.public_url or settings.airflow.base_url or "").rstrip("/")
    run = failure.run_url
    if run is None and base and failure.pipeline != PLATFORM_PIPELINE:
        dag_id = failure.facts.get("dag_id", failure.pipeline)
        run = f"{base}/dags/{quote(dag_id)}/runs/{quote(failure.run_id, safe='')}"
    table = f"{base}/assets?name_pattern={quote(failure.table)}" if base and failure.table else None
    urls = {"run": run, "log": failure.log_url, "table": table, "runbook": f"include/runbooks/{runbook}.md"}
    return tuple(Link(label=label, url=url) for label, url in urls.items() if url)


def done_already(failure: Failure) -> tuple[str, ...]:
    """What Headwater did before it told anyone."""
    done = [] if failure.try_number < 2 else [f"tried {failure.try_number} times"]
    quarantined = failure.facts.get("quarantined", "0")
    done += [] if quarantined in {"", "0"} else [f"put {quarantined} rows into quarantine"]
    done += ["kept the staged data of the table, held and unpublished"] if failure.facts.get("held_snapshot") else []
    return (*done, "kept the last release readable")


def _source_facts(spec: SourceSpec) -> dict[str, str]:
    names = [table.name for table in spec.tables]
    more = len(names) - MOST_TABLES_NAMED
    said = ", ".join(names[:MOST_TABLES_NAMED]) + (f" and {more} more" if more > 0 else "")
    return {"connection": spec.connection, "source_tables": said, "table_count": str(len(names))}


def _table_facts(name: TableName, spec: PipelineSpec | None, place: SourcePlace | None) -> dict[str, str]:
    layer_path = f"{name.layer}/{name.source}/{name.table}"
    facts = {"contract_file": f"include/contracts/{layer_path}.yml"}
    items = spec.tables if isinstance(spec, SourceSpec) else ()
    item = next((item for item in items if item.name == name.table), None)
    gold = next((item for item in spec.gold if item.name == name.table), None) if spec is not None else None
    by_sql = name.layer is Layer.GOLD and (gold is None or gold.transform is None)
    if by_sql or (item is not None and item.sql is not None):
        facts["sql_file"] = f"sql/{layer_path}.sql"
    if item is not None and item.extract.kind == "sql":
        facts["relation"] = relation_at(place, item.extract.relation or item.name)
    return facts
