"""One transaction that inserts a failure, opens or counts up its incident, and queues the alerts of a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Table, select, text, update

from headwater.adapters.incident_store.tables import DELIVERIES, FAILURES, INCIDENTS
from headwater.adapters.run_store.database import insert_into
from headwater.domain.incident import Failure, Incident


def record(connection: Connection, failure: Failure, draft: Incident, channels: Sequence[str]) -> tuple[Incident, bool]:
    """See ``IncidentStore.record``. Safe beside other writers: the unique indexes decide, not what was read before."""
    failure_id = _insert_new(connection, FAILURES, _failure_row(failure))
    if failure_id is None:
        return _incident_of(connection, failure), False
    incident = _open(connection, draft, channels) or _count_up(connection, draft)
    while incident is None:  # closed by someone between the two statements
        incident = _open(connection, draft, channels) or _count_up(connection, draft)
    connection.execute(update(FAILURES).where(FAILURES.c.id == failure_id).values(incident_id=incident.id))
    return incident, True


def _open(connection: Connection, draft: Incident, channels: Sequence[str]) -> Incident | None:
    key = _incident_key(draft)
    number = _insert_new(connection, INCIDENTS, {**key, "status": "open", "document": ""}, where="status = 'open'")
    if number is None:
        return None
    incident = draft.numbered(number)
    _save(connection, incident)
    for channel in dict.fromkeys(channels):
        row = {"incident_id": number, "channel": channel, "status": "waiting", "attempts": 0}
        row["next_try_at"] = draft.first_seen.astimezone(UTC)
        connection.execute(DELIVERIES.insert().values(**row))
    return incident


def _count_up(connection: Connection, draft: Incident) -> Incident | None:
    same = [INCIDENTS.c[name] == value for name, value in _incident_key(draft).items()]
    query = select(INCIDENTS.c.document).where(*same, INCIDENTS.c.status == "open").with_for_update()
    found = connection.scalar(query)
    if found is None:
        return None
    known = Incident.model_validate_json(found)
    incident = draft.numbered(known.id).model_copy(
        update={
            "first_seen": known.first_seen,
            "last_seen": max(known.last_seen, draft.last_seen),
            "owner": known.owner,
            "count": known.count + 1,
        }
    )
    _save(connection, incident)
    return incident


def _save(connection: Connection, incident: Incident) -> None:
    connection.execute(
        update(INCIDENTS).where(INCIDENTS.c.id == incident.id).values(document=incident.model_dump_json())
    )


def _incident_of(connection: Connection, failure: Failure) -> Incident:
    row = _failure_row(failure)
    same = [FAILURES.c[name] == value for name, value in row.items() if name != "document"]
    query = select(INCIDENTS.c.document).join(FAILURES, FAILURES.c.incident_id == INCIDENTS.c.id).where(*same)
    return Incident.model_validate_json(connection.execute(query).scalar_one())


def _incident_key(draft: Incident) -> dict[str, str]:
    # a hash, because an index takes neither texts of any length nor NUL
    matter = f":{hashlib.sha256(draft.matter.encode()).hexdigest()[:16]}" if draft.matter else ""
    return {
        "pipeline": draft.pipeline,
        "table_name": draft.table or "",
        "kind": draft.kind,
        "cause": draft.cause + matter,
    }


def _failure_row(failure: Failure) -> dict[str, object]:
    names = ("pipeline", "run_id", "task_id", "map_index", "try_number", "kind")
    row: dict[str, object] = {name: getattr(failure, name) for name in names}
    return row | {"table_name": failure.table or "", "document": failure.model_dump_json()}


def _insert_new(connection: Connection, table: Table, values: dict[str, Any], where: str | None = None) -> int | None:
    """Insert unless a unique index has it already; returns the new id, or None.

    :param where: the predicate of a partial unique index.
    """
    statement = insert_into(connection, table, values)
    if where is None:
        statement = statement.on_conflict_do_nothing()
    else:
        names = [name for name in values if name not in {"status", "document"}]
        statement = statement.on_conflict_do_nothing(index_elements=names, index_where=text(where))
    number: int | None = connection.execute(statement.returning(table.c.id)).scalar_one_or_none()
    return number
