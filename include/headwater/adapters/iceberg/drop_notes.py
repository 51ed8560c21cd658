"""Notes of drops: ``<warehouse>/dropped/<uuid of the table>.json`` says where a table lies that is to be dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, ValidationError

from headwater.adapters.iceberg.folders import opened_folder
from headwater.adapters.iceberg.metadata_files import folder_of
from headwater.domain.base import Value
from headwater.domain.names import TableName

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem
    from pyiceberg.catalog.sql import SqlCatalog

DROPPED = "dropped"
"""Folder of the warehouse; no layer is called so."""


class Dropped(Value):
    """A note: this physical table is about to leave the catalog, and its folder with it."""

    table: TableName
    location: str
    at: AwareDatetime


def drop_notes(catalog: SqlCatalog) -> tuple[FileSystem, list[str]]:
    """Where notes are read, and what each is called there."""
    from pyarrow.fs import FileSelector

    system, root = opened_folder(catalog, f"{warehouse_of(catalog)}/{DROPPED}")
    paths = (item.path for item in system.get_file_info(FileSelector(root, allow_not_found=True)))
    return system, sorted(path for path in paths if path.endswith(".json"))


def read_note(system: FileSystem, path: str) -> Dropped | None:
    """A note; None when it is gone, or when its writer was killed before the drop: there is no more to it then."""
    try:
        with system.open_input_stream(path) as stream:
            return Dropped.model_validate_json(bytes(stream.read()))
    except (FileNotFoundError, ValidationError):
        return None


def noted_folders(catalog: SqlCatalog) -> frozenset[str]:
    """Folders of the tables that notes name, as ``folder_of`` writes them."""
    system, paths = drop_notes(catalog)
    notes = (read_note(system, path) for path in paths)
    return frozenset(folder_of(note.location) for note in notes if note is not None)


def warehouse_of(catalog: SqlCatalog) -> str:
    return str(catalog.properties["warehouse"]).rstrip("/")
