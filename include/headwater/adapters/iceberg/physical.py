"""Physical tables beside the ones their names stand for (rule 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from headwater.adapters.iceberg.tables import head_of
from headwater.domain.names import REPLACED, PhysicalName, TableName, is_mark
from headwater.ports.catalog import TableHead

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
    from pyiceberg.table import Table


def physical_names(catalog: SqlCatalog, table: TableName) -> tuple[PhysicalName, ...]:
    """Those of a table, in the order of their marks."""
    return tuple(sorted(_beside(table, _rows(catalog, table)), key=lambda name: name.mark))


def head_with_staged(catalog: SqlCatalog, table: TableName) -> TableHead | None:
    """The head of a table, with the branches of what is staged to replace it, by one statement.

    None when the table does not exist.
    """
    rows = _rows(catalog, table)
    own = rows.get(table.identifier[1])
    if own is None:
        return None
    head = head_of(table, _loaded(catalog, own))
    branches: dict[str, int] = {}
    for name, row in _beside(table, rows).items():
        if not name.is_replaced:
            branches |= _branch(catalog, name, row)
    return head.model_copy(update={"branches": {**head.branches, **branches}}) if branches else head


def replaced_name(table: TableName, current: Table) -> PhysicalName:
    """What the physical table that the name stands for is called once another one is swapped in."""
    return PhysicalName.of(table, f"{REPLACED}{current.metadata.table_uuid.hex}")


def _rows(catalog: SqlCatalog, table: TableName) -> dict[str, IcebergTables]:
    """Name in the catalog -> row, of the table and of all that begin with its name and a double underscore."""
    from pyiceberg.catalog.sql import IcebergTables

    namespace, name = table.identifier
    known, is_table = IcebergTables.table_name, catalog._iceberg_type_filter()  # noqa: SLF001 - pinned and tested
    with Session(catalog.engine) as session:
        found = session.scalars(
            select(IcebergTables).where(
                IcebergTables.catalog_name == catalog.name,
                IcebergTables.table_namespace == namespace,
                or_(known == name, known.startswith(f"{name}__", autoescape=True)),
                *(() if is_table is None else (is_table,)),
            )
        ).all()
    return {row.table_name: row for row in found}


def _beside(table: TableName, rows: dict[str, IcebergTables]) -> dict[PhysicalName, IcebergTables]:
    """Those that are marked by us; what somebody else keeps beside the table is none of ours."""
    prefix = f"{table.identifier[1]}__"
    marked = {text.removeprefix(prefix): row for text, row in rows.items() if text.startswith(prefix)}
    return {PhysicalName.of(table, mark): row for mark, row in marked.items() if is_mark(mark)}


def _branch(catalog: SqlCatalog, name: PhysicalName, row: IcebergTables) -> dict[str, int]:
    """The branch that a staged table is marked by, with its head; empty when the table was dropped meanwhile."""
    try:
        ref = _loaded(catalog, row).metadata.refs.get(name.mark)
    except FileNotFoundError:
        return {}
    return {} if ref is None else {name.mark: ref.snapshot_id}


def _loaded(catalog: SqlCatalog, row: IcebergTables) -> Table:
    return catalog._convert_orm_to_iceberg(row)  # noqa: SLF001 - pinned and tested (rule 16)
