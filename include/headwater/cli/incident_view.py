"""An incident on the terminal: what its recipient needs to act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.cli.output import console, print_table
from headwater.services.quarantined_share import SHARE_CHECK

if TYPE_CHECKING:
    from headwater.domain.incident import Incident
    from headwater.ports.platform import Platform
    from headwater.ports.run_store import StagedRecord

MOST_ROWS = 20


def incident_object(incident: Incident) -> dict[str, object]:
    """The incident for programs."""
    return incident.model_dump(mode="json")


def print_incident(incident: Incident) -> None:
    """The incident in full, as the console channel prints it."""
    from headwater.adapters.notifiers.plain_text import alert_text

    console().print(alert_text(incident), markup=False, highlight=False, soft_wrap=True)


def print_rows(platform: Platform, incident: Incident) -> None:
    """What the gate found: each broken check of the held staging with examples of offending values."""
    from headwater.domain.names import TableName

    held = platform.runs.held(TableName.parse(incident.table)) if incident.table else ()
    verdicts = [platform.runs.verdict(item.staged.table, item.staged.staged) for item in held[:1]]
    lines = [
        (check.name, check.column or "", check.measured, check.threshold, check.rows_failed, "; ".join(check.examples))
        for verdict in verdicts
        if verdict is not None
        for check in verdict.checks
        if check.outcome == "failed"
    ]
    columns = ["rule", "column", "measured", "allowed", "rows", "examples"]
    print_table("What the gate found", columns, lines, "Nothing of this incident is held any more.")
    if any(line[0] == SHARE_CHECK for line in lines):
        _print_quarantined(platform, held[0])


def _print_quarantined(platform: Platform, held: StagedRecord) -> None:
    """Keys of rows that the held batch lost to row rules; the rest of them may be personal, and is not shown."""
    from headwater.adapters.duckdb.query import query
    from headwater.domain.names import Layer

    aside = held.staged.table.model_copy(update={"layer": Layer.QUARANTINE})
    run_key = held.run_key.replace("'", "''")
    sql = f"SELECT _hw_rules, _hw_key FROM {aside} WHERE _hw_run_key = '{run_key}' ORDER BY 1, 2 LIMIT {MOST_ROWS}"  # noqa: S608 - names and keys of our own
    catalog = platform.settings.catalog
    found = query(sql, platform.runs.current(), catalog.warehouse, s3=catalog.s3)
    title = f"In {aside}, the first {len(found.rows)}"
    print_table(title, ["broken rules", "key"], found.rows, "Their quarantine was not published yet.")
