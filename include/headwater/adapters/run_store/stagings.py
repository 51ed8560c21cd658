"""Stagings, verdicts and what people set aside."""

from __future__ import annotations

from sqlalchemy import Select, func, select, update

from headwater.adapters.run_store.database import Database, put, put_once
from headwater.adapters.run_store.tables import SET_ASIDES, STAGINGS, VERDICTS
from headwater.domain.names import TableName
from headwater.domain.staging import StageName, Verdict
from headwater.ports.run_store import SetAside, StagedRecord


class Stagings(Database):
    """The part of the run store that knows what attempts staged, and what was said of it."""

    def save_staged(self, record: StagedRecord) -> None:
        row = {
            "run_key": record.run_key,
            "stage": record.stage,
            "table_name": record.staged.table.dotted,
            "attempt": record.staged.attempt,
            "branch": record.staged.branch,
            "status": record.status,
            "document": record.model_dump_json(),
        }
        with self._transaction() as connection:
            put(connection, STAGINGS, ("attempt", "table_name"), row)

    def staged(self, run_key: str, stage: StageName | None = None) -> tuple[StagedRecord, ...]:
        mine = STAGINGS.c.run_key == run_key
        if stage is not None:
            mine &= STAGINGS.c.stage == stage
        newest = select(func.max(STAGINGS.c.seq)).where(mine).group_by(STAGINGS.c.stage, STAGINGS.c.table_name)
        wanted = select(STAGINGS.c.document, STAGINGS.c.status).where(STAGINGS.c.seq.in_(newest))
        with self._transaction() as connection:
            return tuple(_record(*row) for row in connection.execute(wanted.order_by(STAGINGS.c.seq)))

    def held(self, table: TableName | None = None) -> tuple[StagedRecord, ...]:
        wanted = select(STAGINGS.c.document, STAGINGS.c.status).where(STAGINGS.c.status == "held")
        if table is not None:
            wanted = wanted.where(STAGINGS.c.table_name == table.dotted)
        with self._transaction() as connection:
            return tuple(_record(*row) for row in connection.execute(wanted.order_by(STAGINGS.c.seq.desc())))

    def mark_staged(self, attempt: str, table: TableName, status: str) -> None:
        with self._transaction() as connection:
            connection.execute(
                update(STAGINGS)
                .where(STAGINGS.c.attempt == attempt, STAGINGS.c.table_name == table.dotted)
                .values(status=status)
            )

    def live_branches(self) -> dict[str, tuple[str, ...]]:
        wanted = select(STAGINGS.c.table_name, STAGINGS.c.branch).where(STAGINGS.c.status.in_(("staged", "held")))
        branches: dict[str, tuple[str, ...]] = {}
        with self._transaction() as connection:
            for table, branch in connection.execute(wanted.order_by(STAGINGS.c.seq)):
                branches[table] = (*branches.get(table, ()), branch)
        return branches

    def save_verdict(self, run_key: str, verdict: Verdict) -> None:
        document = verdict.model_dump_json()
        with self._transaction() as connection:
            if connection.execute(_newest_verdict(verdict.table, verdict.snapshot_id)).scalar() != document:
                row = {"run_key": run_key, "table_name": verdict.table.dotted, "snapshot_id": verdict.snapshot_id}
                connection.execute(VERDICTS.insert().values(**row, document=document))

    def verdict(self, table: TableName, snapshot_id: int) -> Verdict | None:
        with self._transaction() as connection:
            stored = connection.execute(_newest_verdict(table, snapshot_id)).scalar()
        return None if stored is None else Verdict.model_validate_json(stored)

    def save_set_aside(self, item: SetAside) -> None:
        row = {
            "table_name": item.table.dotted,
            "rule": item.rule,
            "up_to_batch": item.up_to_batch,
            "document": item.model_dump_json(),
        }
        with self._transaction() as connection:
            put_once(connection, SET_ASIDES, ("table_name", "rule", "up_to_batch"), row)

    def set_aside(self, table: TableName, after_batch: int) -> tuple[SetAside, ...]:
        wanted = select(SET_ASIDES.c.document).where(
            SET_ASIDES.c.table_name == table.dotted, SET_ASIDES.c.up_to_batch > after_batch
        )
        with self._transaction() as connection:
            found = connection.execute(wanted.order_by(SET_ASIDES.c.seq)).scalars()
            return tuple(map(SetAside.model_validate_json, found))


def _newest_verdict(table: TableName, snapshot_id: int) -> Select[str]:
    return (
        select(VERDICTS.c.document)
        .where(VERDICTS.c.table_name == table.dotted, VERDICTS.c.snapshot_id == snapshot_id)
        .order_by(VERDICTS.c.seq.desc())
        .limit(1)
    )


def _record(document: str, status: str) -> StagedRecord:
    """The stored record with the status the row has now."""
    record = StagedRecord.model_validate_json(document)
    return StagedRecord.model_validate(record.model_dump() | {"status": status})
