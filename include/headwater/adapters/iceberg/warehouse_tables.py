"""The tables of a warehouse as its folders show them, for a catalog that has lost its own list."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from headwater.adapters.iceberg.folders import opened_folder
from headwater.adapters.iceberg.metadata_files import Identifier, MetadataFile, folder_of, table_of, version_of
from headwater.adapters.iceberg.tables import STATE
from headwater.domain.backup_errors import BackupError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem
    from pyiceberg.catalog.sql import SqlCatalog

_READERS = 8
Folders = Mapping[Identifier, list[MetadataFile]]


def table_folders(catalog: SqlCatalog, warehouse: str) -> Iterator[tuple[Identifier, list[MetadataFile]]]:
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


def dropped_places(folders: Folders, noted: Collection[str], kept: Collection[str]) -> frozenset[Identifier]:
    """Of which physical tables only what a drop left is there.

    A note comes before the drop, and stays when that is killed; the table may have been swapped in meanwhile. So a note
    says nothing of the only table that was ever published under its name, which it loses to another one only.

    :param noted: folders that notes of drops name.
    :param kept: folders that somebody named, or the newest release of a table.
    """
    noted = set(noted) - set(kept)
    gone = {place for place, files in folders.items() if folder_of(files[0].location) in noted}
    published = {place for place, files in folders.items() if any(file.published for file in files)}
    still_there = {table_of(place) for place in published - gone}
    return frozenset(place for place in gone if place not in published or table_of(place) in still_there)
