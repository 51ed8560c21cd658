"""Creating and evolving tables, and reading their heads (rules 13, 14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Literal

from sqlalchemy.exc import IntegrityError

from headwater.adapters.iceberg.column_types import format_type, iceberg_schema, parse_type, table_schema
from headwater.adapters.iceberg.opening import ATTEMPTS, pause
from headwater.adapters.iceberg.states import read_state
from headwater.domain.errors import CatalogError, SchemaDriftError
from headwater.domain.names import TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.table_layout import LAYOUT_PROPERTY, TableLayout
from headwater.ports.catalog import TableHead

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table
    from pyiceberg.table.refs import SnapshotRefType
    from pyiceberg.table.update import SetSnapshotRefUpdate

STATE = "headwater.state"
"""Table property holding TableState as JSON (rule 17), or the file it lies in."""
_RETRIES = "commit.retry.num-retries"
PROPERTIES = {
    "format-version": "2",
    "write.format.default": "parquet",
    "write.parquet.compression-codec": "zstd",
    # A release names a metadata file by its location, and readers open it long after later commits replaced it.
    # Only maintenance, which knows the releases, may delete one; the log in each file stays bounded all the same.
    "write.metadata.delete-after-commit.enabled": "false",
    "write.metadata.previous-versions-max": "50",
    # Spark and pyiceberg drop snapshots and files by these only when asked; maintenance asks, and knows what to spare.
    "gc.enabled": "true",
    "commit.retry.min-wait-ms": "20",
    "commit.retry.max-wait-ms": "2000",
}


def point(ref: str, snapshot_id: int, kind: Literal["branch", "tag"] = "branch") -> SetSnapshotRefUpdate:
    """The update that makes a branch or tag stand at the snapshot."""
    from pyiceberg.table.update import SetSnapshotRefUpdate

    # validated from a document: the class's optional fields have aliases that its type stubs call required
    return SetSnapshotRefUpdate.model_validate({"ref-name": ref, "type": kind, "snapshot-id": snapshot_id})


def head_of(name: TableName, table: Table) -> TableHead:
    """The port's view of a loaded table."""
    from pyiceberg.table.refs import SnapshotRefType

    main = table.metadata.refs.get("main")
    state = table.metadata.properties.get(STATE)
    return TableHead(
        table=name,
        uuid=str(table.metadata.table_uuid),
        main=None if main is None else main.snapshot_id,
        state=None if state is None else read_state(name, table, state),
        schema_=table_schema(table.schema()),
        metadata_location=table.metadata_location,
        location=table.location(),
        branches=_refs_of(table, SnapshotRefType.BRANCH),
        tags=_refs_of(table, SnapshotRefType.TAG),
        layout=TableLayout.model_validate_json(table.metadata.properties.get(LAYOUT_PROPERTY, "{}")),
    )


def _refs_of(table: Table, kind: SnapshotRefType) -> dict[str, int]:
    refs = table.metadata.refs.items()
    return {name: ref.snapshot_id for name, ref in refs if name != "main" and ref.snapshot_ref_type == kind}


def create_table(catalog: SqlCatalog, name: TableName, schema: TableSchema) -> Table:
    """Create, then one empty append when ``main`` is absent; a loser of either race finds the winner's work."""
    from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError

    try:
        table = catalog.load_table(name.identifier)
    except NoSuchTableError:
        _create_namespace(catalog, name)
        try:
            # no retries until the first append: a retried loser would append on top of the winner's empty snapshot
            properties = PROPERTIES | {_RETRIES: "0"}
            table = catalog.create_table(name.identifier, iceberg_schema(schema), properties=properties)
        except TableAlreadyExistsError:
            table = catalog.load_table(name.identifier)
    for attempt in range(ATTEMPTS):
        if "main" in table.metadata.refs:
            return table
        try:
            with table.transaction() as transaction:
                transaction.set_properties({_RETRIES: "20"})
                transaction.append(table.schema().as_arrow().empty_table())
        except CommitFailedException:
            pause(attempt)
        table = catalog.load_table(name.identifier)
    raise CatalogError(f"{name}: the first snapshot could not be committed", facts={"table": name.dotted})


def _create_namespace(catalog: SqlCatalog, name: TableName) -> None:
    from pyiceberg.exceptions import NamespaceAlreadyExistsError

    try:
        catalog.create_namespace_if_not_exists(name.layer.value)
    except (NamespaceAlreadyExistsError, IntegrityError):
        # another process was first, which is all we wanted
        return


def evolve_table(catalog: SqlCatalog, name: TableName, add: Sequence[Column], widen: Mapping[str, str]) -> Table:
    """Add nullable columns and widen types; what is there already is left alone, so a retry changes nothing.

    :raises SchemaDriftError: when a column exists with another type, or a change is no widening.
    """
    from pyiceberg.exceptions import CommitFailedException, ValidationError

    for attempt in range(ATTEMPTS):
        table = catalog.load_table(name.identifier)
        next_id = count(1).__next__
        wanted = {column.name: parse_type(column.type, next_id) for column in add}
        missing = [column for column in add if not _has(table, name, column.name, format_type(wanted[column.name]))]
        wider = {column: type_ for column, type_ in widen.items() if _type_of(table, name, column) != type_}
        if not missing and not wider:
            return table
        try:
            with table.update_schema() as update:
                for column in missing:
                    update.add_column((column.name,), wanted[column.name], doc=column.doc)
                for column_name, type_ in wider.items():
                    update.update_column((column_name,), parse_type(type_, next_id))
        except CommitFailedException:
            pause(attempt)
        except ValidationError as error:
            raise SchemaDriftError(
                f"{name}: a type can only be widened in place (rule 14)", got=str(error)[:300],
                allowed="int to long, float to double, decimal to more digits of the same scale",
                remedy="rebuild the table, or keep the old type in the YAML", facts={"table": name.dotted},
            ) from error  # fmt: skip
    raise CatalogError(f"{name}: the schema change lost against other writers", facts={"table": name.dotted})


def _type_of(table: Table, name: TableName, column: str) -> str:
    found = table_schema(table.schema()).column(column)
    if found is None:
        raise SchemaDriftError(f"{name}: column {column} does not exist", facts={"table": name.dotted})
    return found.type


def _has(table: Table, name: TableName, column: str, type_: str) -> bool:
    found = table_schema(table.schema()).column(column)
    if found is not None and found.type != type_:
        raise SchemaDriftError(
            f"{name}: column {column} exists as {found.type}", got=type_, allowed=found.type,
            remedy="widen it, or rebuild the table", facts={"table": name.dotted, "column": column},
        )  # fmt: skip
    return found is not None
