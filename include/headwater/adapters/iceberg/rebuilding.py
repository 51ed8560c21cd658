"""The catalog made again from the warehouse's metadata files, when its database is lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from headwater.adapters.iceberg.drop_notes import noted_folders
from headwater.adapters.iceberg.metadata_files import (
    Identifier,
    MetadataFile,
    Record,
    folder_of,
    names_of,
    newest,
    records_of,
)
from headwater.adapters.iceberg.opening import explained, open_catalog
from headwater.adapters.iceberg.warehouse_tables import Folders, dropped_places, table_folders
from headwater.domain.backup_errors import BackupError
from headwater.domain.release import Release
from headwater.domain.settings import CatalogSettings

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog


class Rebuilt(NamedTuple):
    """What the catalog lists now."""

    registered: dict[str, str]
    """``namespace.table`` -> metadata file."""
    left_out: tuple[str, ...]
    """``namespace.folder`` of what drops left."""


def rebuild_catalog(settings: CatalogSettings, releases: Iterable[Release], chosen: Collection[str] = ()) -> Rebuilt:
    """Register every table of the warehouse in the catalog, which must be empty, in one transaction.

    :param releases: what the run store knows, newest first; none when it is lost as well.
    :param chosen: metadata files somebody names where two could be the newest.
    :raises BackupError: when the catalog is not empty, the warehouse holds no table, or a choice is open.
    """
    with explained("rebuilding the catalog"):
        catalog = open_catalog(settings)
    try:
        with explained("rebuilding the catalog"):
            _refuse_what_is_not_empty(catalog)
            records = records_of(releases)
            homes = {table: record.location for table, record in records.items()}
            folders = dict(table_folders(catalog, settings.warehouse))
            kept = {folder_of(location) for location in (*homes.values(), *chosen)}
            dropped = dropped_places(folders, noted_folders(catalog), kept)
            there = {place: files for place, files in folders.items() if place not in dropped}
            states = _choose(there, records, frozenset(chosen))
            named = names_of(states, homes, frozenset(chosen))
            if not named:
                raise BackupError("The warehouse holds no table.", got=settings.warehouse)
            _register(catalog, named)
    finally:
        catalog.close()
    registered = {".".join(name): state.location for name, state in sorted(named.items())}
    return Rebuilt(registered, tuple(sorted(map(".".join, dropped))))


def _refuse_what_is_not_empty(catalog: SqlCatalog) -> None:
    from pyiceberg.catalog.sql import IcebergTables

    with Session(catalog.engine) as session:
        count = session.scalar(select(func.count()).where(IcebergTables.catalog_name == catalog.name)) or 0
    if count:
        raise BackupError(
            "The catalog is not empty, and what it points at is never overwritten.", got=f"{count} tables",
            remedy="Name an empty database in the profile; the old one can be looked at beside it.",
        )  # fmt: skip


def _choose(folders: Folders, records: dict[str, Record], wanted: frozenset[str]) -> dict[Identifier, MetadataFile]:
    states: dict[Identifier, MetadataFile] = {}
    homes = {folder_of(record.location): table for table, record in records.items()}
    missing = dict(records)
    for place, files in folders.items():
        table = homes.get(folder_of(files[0].location))
        named = [item for item in files if item.location in wanted]
        states[place] = newest(table or ".".join(place), named or files, records[table] if table else None)
        if table:
            missing.pop(table)
    if missing:
        raise BackupError(
            f"The warehouse lacks {len(missing)} tables that were released.", got=", ".join(sorted(missing)[:5]),
            remedy="Bring their files back first: a catalog without them would look whole.",
        )  # fmt: skip
    return states


def _register(catalog: SqlCatalog, named: dict[Identifier, MetadataFile]) -> None:
    from pyiceberg.catalog.sql import IcebergNamespaceProperties, IcebergTables

    with Session(catalog.engine) as session:
        for namespace, tables in groupby(sorted(named), key=lambda name: name[0]):
            known = session.scalar(
                select(func.count()).where(
                    IcebergNamespaceProperties.catalog_name == catalog.name,
                    IcebergNamespaceProperties.namespace == namespace,
                )
            )
            for key, value in () if known else IcebergNamespaceProperties.NAMESPACE_MINIMAL_PROPERTIES.items():
                session.add(
                    IcebergNamespaceProperties(
                        catalog_name=catalog.name, namespace=namespace, property_key=key, property_value=value
                    )
                )
            for name in tables:
                row = catalog._create_table_row(namespace, name[1], named[name].location)  # noqa: SLF001 - pinned, as for publish
                session.execute(insert(IcebergTables).values(**row))
        session.commit()
