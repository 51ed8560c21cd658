"""In which physical table the snapshots of a table lie: another may have been swapped in since, or be staged (14)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from headwater.domain.errors import NotFoundError
from headwater.domain.names import PhysicalName, TableName
from headwater.domain.run import InputRef
from headwater.ports.catalog import Catalog


def home_of(catalog: Catalog, table: TableName, snapshot_id: int) -> TableName:
    """The physical table that has the snapshot: the one the name stands for, or one beside it.

    :raises NotFoundError: when none has it, or not any more.
    """
    if _has(catalog, table, snapshot_id):
        return table
    found = [name for name in catalog.physical_tables(table) if _has(catalog, name, snapshot_id)]
    if not found:
        raise NotFoundError(
            f"{table}: snapshot {snapshot_id} is gone, from the table and from those it replaced",
            got=str(snapshot_id), remedy="run the pipeline again; it reads what is released now",
            facts={"table": table.dotted},
        )  # fmt: skip
    return found[0]


def homes(catalog: Catalog, inputs: Mapping[str, InputRef]) -> dict[str, str]:
    """Dotted input -> mark of the physical table that has its snapshot, where the name does not stand for that one.

    A snapshot that is gone is left to the job, which says so of the tables that read it, and of no others.
    """
    found: dict[str, str] = {}
    for dotted, ref in inputs.items():
        with suppress(NotFoundError):
            home = home_of(catalog, TableName.parse(dotted), ref.snapshot_id)
            found |= {dotted: home.mark} if isinstance(home, PhysicalName) else {}
    return found


def _has(catalog: Catalog, table: TableName, snapshot_id: int) -> bool:
    try:
        catalog.summary(table, snapshot_id)
    except NotFoundError:
        return False
    return True
