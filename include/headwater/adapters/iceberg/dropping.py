"""Dropping physical tables, so that a drop that is killed can be finished.

``<warehouse>/dropped/<uuid of the table>.json`` says where a table lies before its row leaves the catalog. What the
purge leaves, or did not come to, is in the folder that the note names; maintenance removes both (ADR 18). A folder is
never told to be a leftover by a catalog that does not know it: a catalog that was lost knows none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from headwater.adapters.iceberg.drop_notes import DROPPED, Dropped, drop_notes, read_note, warehouse_of
from headwater.adapters.iceberg.folders import opened_folder
from headwater.adapters.iceberg.metadata_files import folder_of
from headwater.adapters.iceberg.opening import OpenedLake, explained
from headwater.domain.names import Layer, PhysicalName
from headwater.ports.leftovers import LeftBehind

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem
    from pyiceberg.catalog.sql import SqlCatalog


def purge(catalog: SqlCatalog, name: PhysicalName) -> None:
    """Drop a physical table with its files, unless somebody published or dropped it meanwhile."""
    from pyiceberg.exceptions import NoSuchTableError

    try:
        table = catalog.load_table(name.identifier)
        note = Dropped(table=name.name, location=table.location(), at=datetime.now(UTC))
        path = f"{warehouse_of(catalog)}/{DROPPED}/{table.metadata.table_uuid}.json"
        with table.io.new_output(path).create(overwrite=True) as stream:
            stream.write(note.model_dump_json().encode())
        catalog.purge_table(name.identifier)
    except NoSuchTableError:
        return


class _Contents(NamedTuple):
    written_at: datetime
    files: int
    size_bytes: int


class DroppedFolders(OpenedLake):
    """``ports.leftovers.Leftovers`` of the folders that notes name."""

    def found(self) -> Iterator[LeftBehind]:
        with explained("listing dropped tables"):
            system, paths = drop_notes(self._lake)
        for path in paths:
            with explained(f"reading {path}"):
                left = self._look(system, path)
            if left is not None:
                yield left

    def remove(self, left: LeftBehind) -> bool:
        from pyarrow.fs import FileType

        with explained(f"removing {left.place}"):
            system, root = opened_folder(self._lake, f"{warehouse_of(self._lake)}/{DROPPED}")
            note = f"{root}/{left.place.rsplit('/', 1)[-1]}"
            if self._look(system, note) != left or left.is_referenced:
                return False
            if left.location:
                _, folder = opened_folder(self._lake, left.location)
                if system.get_file_info([folder])[0].type == FileType.Directory:
                    system.delete_dir(folder)
            system.delete_file(note)  # last: until then another sweep goes on with the folder
        return True

    def _look(self, system: FileSystem, path: str) -> LeftBehind | None:
        """What a note and the folder it names say; None when another sweep removed it."""
        from pyarrow.fs import FileType

        place = f"{DROPPED}/{path.rsplit('/', 1)[-1]}"
        note = read_note(system, path)
        if note is None:
            (info,) = system.get_file_info([path])
            is_there = info.type == FileType.File
            return LeftBehind(place=place, written_at=info.mtime or datetime.now(UTC)) if is_there else None
        _, folder = opened_folder(self._lake, note.location)
        told = _contents(system, folder, note.at)
        return LeftBehind(
            place=place, written_at=told.written_at, table=note.table, location=note.location,
            is_referenced=not _is_a_tables(self._lake, note.location) or _is_known(self._lake, note.location),
            files=told.files, size_bytes=told.size_bytes,
        )  # fmt: skip


def _contents(system: FileSystem, folder: str, at_least: datetime) -> _Contents:
    from pyarrow.fs import FileSelector, FileType

    infos = system.get_file_info(FileSelector(folder, allow_not_found=True, recursive=True))
    files = [info for info in infos if info.type == FileType.File]
    newest = max([at_least, *(info.mtime for info in files if info.mtime is not None)])
    return _Contents(newest, len(files), sum(info.size or 0 for info in files))


def _is_known(catalog: SqlCatalog, location: str) -> bool:
    """Whether a table of the catalog, by whatever name, lies there."""
    from pyiceberg.catalog.sql import IcebergTables

    with Session(catalog.engine) as session:
        known = select(IcebergTables.metadata_location).where(IcebergTables.catalog_name == catalog.name)
        inside = f"{folder_of(location)}/"
        return any(f"{folder_of(place)}/".startswith(inside) for place in session.scalars(known) if place)


def _is_a_tables(catalog: SqlCatalog, location: str) -> bool:
    """Whether it is one folder below a layer of the warehouse: nothing else is ever removed."""
    inside = folder_of(location).removeprefix(f"{folder_of(warehouse_of(catalog))}/").split("/")
    return len(inside) == 2 and inside[0] in set(Layer)
