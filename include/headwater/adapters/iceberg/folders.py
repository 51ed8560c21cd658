"""Folders of the warehouse as Arrow lists them: local, or in buckets by the catalog's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem
    from pyiceberg.catalog.sql import SqlCatalog


def opened_folder(catalog: SqlCatalog, location: str) -> tuple[FileSystem, str]:
    """Who lists a place of the warehouse, and what the place is called there."""
    from pyiceberg.io import load_file_io
    from pyiceberg.io.pyarrow import PyArrowFileIO

    scheme, netloc, path = PyArrowFileIO.parse_location(location, catalog.properties)
    opened = load_file_io(catalog.properties, location)
    system = (opened if isinstance(opened, PyArrowFileIO) else PyArrowFileIO()).fs_by_scheme(scheme, netloc)
    return system, path
