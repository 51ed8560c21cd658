"""The catalog made again from the warehouse's metadata files, when its database is lost."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from headwater.adapters.iceberg.folders import opened_folder
from headwater.adapters.iceberg.metadata_files import (
    Identifier,
    MetadataFile,
    Record,
    folder_of,
    names_of,
    newest,
    records_of,
    version_of,
)
from headwater.adapters.iceberg.opening import explained, open_catalog
from headwater.adapters.iceberg.tables import STATE
from headwater.domain.backup_errors import BackupError
from headwater.domain.release import Release
from headwater.domain.settings import CatalogSettings

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem
    from pyiceberg.catalog.sql import SqlCatalog

_READERS = 8


def rebuild_catalog(
    settings: CatalogSettings, releases: Iterable[Release], chosen: Collection[str] = ()
) -> dict[str, str]:
    """Register every table of the warehouse in the catalog, which must be empty, in one transaction.

    :param releases: what the run store knows, newest first; none when it is lost as well.
    :param chosen: metadata files somebody names where two could be the newest.
    :returns: ``namespace.table`` -> metadata file.
    :raises BackupError: when the catalog is not empty, the warehouse holds no table, or a choice is open.
    """
    with explained("rebuilding the catalog"):
        catalog = open_catalog(settings)
    try:
        with explained("rebuilding the catalog"):
            _refuse_what_is_not_empty(catalog)
            records = records_of(releases)
            states = _choose(dict(_folders(catalog, settings.warehouse)), records, frozenset(chosen))
            homes = {table: record.location for table, record in records.items()}
            named = names_of(states, homes, frozenset(chosen))
            if not named:
                raise BackupError("The warehouse holds no table.", got=settings.warehouse)
            _register(catalog, named)
    finally:
        catalog.close()
    return {".".join(name): state.location for name, state in sorted(named.items())}


def _refuse_what_is_not_empty(catalog: SqlCatalog) -> None:
    from pyiceberg.catalog.sql import IcebergTables

    with Session(catalog.engine) as session:
        count = session.scalar(select(func.count()).where(IcebergTables.catalog_name == catalog.name)) or 0
    if count:
        raise BackupError(
            "The catalog is not empty, and what it points at is never overwritten.", got=f"{count} tables",
            remedy="Name an empty database in the profile; the old one can be looked at beside it.",
        )  # fmt: skip


def _choose(
    folders: dict[Identifier, list[MetadataFile]], records: dict[str, Record], wanted: frozenset[str]
) -> dict[Identifier, MetadataFile]:
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


def _folders(catalog: SqlCatalog, warehouse: str) -> Iterator[tuple[Identifier, list[MetadataFile]]]:
    """(namespace, folder) -> its metadata files. Never lists data: only ``warehouse/namespace/table``."""
    from pyarrow.fs import FileSelector, FileType

    system, root = opened_folder(catalog, warehouse)
    with ThreadPoolExecutor(_READERS, "metadata") as pool:
        tables = [
            (space.base_name, table.base_name, table.path)
            for space in system.get_file_info(FileSelector(root, allow_not_found=True))
            if space.type == FileType.Directory
            for table in system.get_file_info(FileSelector(space.path))
            if table.type == FileType.Directory
        ]
        for namespace, name, path in tables:
            found = system.get_file_info(FileSelector(f"{path}/metadata", allow_not_found=True))
            paths = [item.path for item in found if version_of(item.path) is not None]
            if paths:
                yield (namespace, name), list(pool.map(lambda item: _read(system, item), paths))


def _read(system: FileSystem, path: str) -> MetadataFile:
    with system.open_input_stream(path) as stream:
        text = stream.read()
    try:
        content: dict[str, Any] = json.loads(text)
        refs: dict[str, dict[str, Any]] = content.get("refs", {})
        properties: dict[str, str] = content.get("properties", {})
        # a rewrite of equal content is known to releases as the snapshot it stands for
        stands_for = json.loads(properties.get(STATE, "{}")).get("stands_for")
        main = stands_for or refs.get("main", {}).get("snapshot-id")
        return MetadataFile(
            location=f"{content['location']}/metadata/{path.rsplit('/', 1)[-1]}",
            version=version_of(path) or 0,
            uuid=content["table-uuid"],
            main=main,
            branches=frozenset(name for name in refs if name != "main"),
            published=STATE in properties,
            sequence=content.get("last-sequence-number", 0),
            updated_ms=content["last-updated-ms"],
            says=_said(content),
        )
    except (ValueError, KeyError) as error:
        raise BackupError("A metadata file cannot be read.", got=f"{path}: {type(error).__name__}: {error}",
                          remedy="Bring it back, or move it away if it is half written.") from error  # fmt: skip


def _said(content: dict[str, Any]) -> str:
    parts = ("refs", "properties", "current-schema-id", "default-spec-id", "default-sort-order-id", "schemas")
    return json.dumps({name: content.get(name) for name in parts}, sort_keys=True)


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
