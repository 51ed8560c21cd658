"""One database transaction that moves ``main`` of all tables of a release (rules 16, 17).

Metadata files are written first; they are orphans until the transaction points at them, and stay orphans when it is
refused. Each row is guarded by the metadata location its new file was made from, so whatever another writer changed
in between, a branch, the schema or ``main`` itself, is looked at again before anything is decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from headwater.adapters.iceberg.opening import ATTEMPTS, explained, pause
from headwater.adapters.iceberg.physical import replaced_name
from headwater.adapters.iceberg.release_rows import Change, commit_rows
from headwater.adapters.iceberg.states import written_state
from headwater.adapters.iceberg.tables import STATE, point
from headwater.domain.errors import CatalogError, StaleBaseError
from headwater.domain.release import Move
from headwater.ports.failpoints import failpoint

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

_MAIN = "main"
_WRITERS = 8


def publish_moves(catalog: SqlCatalog, moves: Sequence[Move]) -> Mapping[str, str]:
    """See the port. Tables are always taken in the order of their names, so two publishers cannot deadlock."""
    ordered = sorted(moves, key=lambda move: move.table.identifier)
    if not ordered:
        return {}
    what = f"publishing {len(ordered)} tables"
    for attempt in range(ATTEMPTS):
        with explained(what), ThreadPoolExecutor(_WRITERS, "publish") as pool:
            tables = _load(catalog, ordered, pool)
            changes = [_staged(catalog, move, tables) for move in ordered]
            failpoint("publish.before_metadata")
            list(pool.map(lambda change: _write(catalog, change), changes))
            failpoint("publish.after_metadata")
            moved = commit_rows(catalog, changes)
        if moved:
            failpoint("publish.after_commit")
            return {change.move.table.dotted: change.staged.metadata_location for change in changes}
        pause(attempt)
    raise CatalogError(f"{what} lost {ATTEMPTS} times against other writers of the same tables")


def _load(catalog: SqlCatalog, moves: Sequence[Move], pool: ThreadPoolExecutor) -> Mapping[tuple[str, str], Table]:
    """All tables by one statement; their metadata files are read in parallel."""
    from pyiceberg.catalog.sql import IcebergTables
    from pyiceberg.exceptions import NoSuchTableError

    wanted = {move.table.identifier for move in moves}
    if len(wanted) != len(moves):
        raise ValueError("a table may move once per publish")
    homes = {move.home.identifier for move in moves}
    with Session(catalog.engine) as session:
        rows = session.scalars(
            select(IcebergTables).where(
                IcebergTables.catalog_name == catalog.name,
                tuple_(IcebergTables.table_namespace, IcebergTables.table_name).in_(wanted | homes),
            )
        ).all()
    missing = wanted - {(row.table_namespace, row.table_name) for row in rows}
    if missing:
        raise NoSuchTableError(", ".join(".".join(name) for name in sorted(missing)))
    tables = pool.map(catalog._convert_orm_to_iceberg, rows)  # noqa: SLF001 - pinned and tested (rule 16)
    return {(row.table_namespace, row.table_name): table for row, table in zip(rows, tables, strict=True)}


def _staged(catalog: SqlCatalog, move: Move, tables: Mapping[tuple[str, str], Table]) -> Change:
    """The table's next metadata. Everything the move asserts is asserted here, the rows' guards hold it true.

    :raises StaleBaseError: when ``main``, the branch or the target is not what the move says.
    """
    from pyiceberg.table.update import (
        RemoveSnapshotRefUpdate,
        SetPropertiesUpdate,
        TableUpdate,
    )

    table, home = tables[move.table.identifier], tables.get(move.home.identifier)
    if home is None:
        raise _stale(move, f"the physical table {move.physical}", None, move.target)
    _assert_heads(move, table, home)
    updates: list[TableUpdate] = [
        point(_MAIN, move.target),
        SetPropertiesUpdate(updates={STATE: written_state(home, move.state)}),
    ]
    if move.branch is not None:
        updates.append(RemoveSnapshotRefUpdate(ref_name=move.branch))
    staged = catalog._update_and_stage_table(home, home.name(), (), tuple(updates))  # noqa: SLF001 - pinned and tested (rule 16)
    if home is table:
        return Change(move, table.metadata_location, staged)
    becomes = replaced_name(move.table, table)
    return Change(move, table.metadata_location, staged, home.metadata_location, becomes)


def _assert_heads(move: Move, table: Table, home: Table) -> None:
    """Rule 17: ``main`` is the base **and** the branch is the audited snapshot."""
    main = _refs(table).get(_MAIN)
    if main != move.base:
        raise _stale(move, "main", main, move.base)
    refs = _refs(home)
    if move.branch is not None and refs.get(move.branch) != move.target:
        raise _stale(move, f"branch {move.branch}", refs.get(move.branch), move.target)
    if home.metadata.snapshot_by_id(move.target) is None:
        raise _stale(move, "the target snapshot", None, move.target)


def _refs(table: Table) -> dict[str, int]:
    return {name: ref.snapshot_id for name, ref in table.metadata.refs.items()}


def _stale(move: Move, what: str, found: int | None, expected: int | None) -> StaleBaseError:
    return StaleBaseError(
        f"{move.table}: {what} is no longer what this attempt was made from; nothing was published",
        got="absent" if found is None else str(found),
        allowed="absent" if expected is None else str(expected),
        remedy="clear the staging task of the run, or let the next run catch up; publish never stages again",
        facts={"table": move.table.dotted, "found": str(found), "expected": str(expected)},
    )


def _write(catalog: SqlCatalog, change: Change) -> None:
    staged = change.staged
    catalog._write_metadata(staged.metadata, staged.io, staged.metadata_location)  # noqa: SLF001 - pinned and tested (rule 16)
    failpoint("publish.mid_metadata")
