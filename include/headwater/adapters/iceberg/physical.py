"""Physical tables beside the ones their names stand for (rule 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from headwater.domain.names import REPLACED, PhysicalName, TableName, is_mark

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table


def physical_names(catalog: SqlCatalog, table: TableName) -> tuple[PhysicalName, ...]:
    """Those of a table, by one statement."""
    from pyiceberg.catalog.sql import IcebergTables

    if isinstance(table, PhysicalName):
        return ()
    namespace, name = table.identifier
    prefix = f"{name}__"
    with Session(catalog.engine) as session:
        found = session.scalars(
            select(IcebergTables.table_name).where(
                IcebergTables.catalog_name == catalog.name,
                IcebergTables.table_namespace == namespace,
                IcebergTables.table_name.startswith(prefix, autoescape=True),
            )
        ).all()
    marks = sorted(text.removeprefix(prefix) for text in found)
    return tuple(PhysicalName.of(table, mark) for mark in marks if is_mark(mark))


def staged_branches(catalog: SqlCatalog, table: TableName) -> dict[str, int]:
    """Branch -> head, of the physical tables staged to replace this one: each has the branch it is marked by."""
    from pyiceberg.exceptions import NoSuchTableError

    found: dict[str, int] = {}
    for name in physical_names(catalog, table):
        if name.is_replaced:
            continue
        try:
            ref = catalog.load_table(name.identifier).metadata.refs.get(name.mark)
        except NoSuchTableError:
            continue  # dropped or published since it was listed
        if ref is not None:
            found[name.mark] = ref.snapshot_id
    return found


def replaced_name(table: TableName, current: Table) -> PhysicalName:
    """What the physical table that the name stands for is called once another one is swapped in."""
    return PhysicalName.of(table, f"{REPLACED}{current.metadata.table_uuid.hex}")


def purge(catalog: SqlCatalog, name: PhysicalName) -> None:
    """Drop a physical table with its files, unless somebody published or dropped it meanwhile."""
    from pyiceberg.exceptions import NoSuchTableError

    try:
        catalog.purge_table(name.identifier)
    except NoSuchTableError:
        return
