"""Folders of dropped tables, on a disk and in S3: the note of a drop tells them, never a catalog that knows nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from headwater.adapters.iceberg import IcebergCatalog
from headwater.adapters.iceberg.dropping import DroppedFolders
from headwater.adapters.iceberg.opening import open_catalog
from headwater.domain.names import PhysicalName, TableName
from headwater.domain.release import Move
from headwater.domain.schema import TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import branch_of, new_attempt
from headwater.ports.leftovers import LeftBehind

Stage = Callable[..., Move]


@pytest.fixture(params=["settings", "secured_settings"])
def here(request: pytest.FixtureRequest) -> CatalogSettings:
    found: CatalogSettings = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def catalog(here: CatalogSettings) -> Iterator[IcebergCatalog]:
    opened = IcebergCatalog(here)
    yield opened
    opened.close()


@pytest.fixture
def dropped(here: CatalogSettings) -> Iterator[DroppedFolders]:
    opened = DroppedFolders(here)
    yield opened
    opened.close()


@pytest.fixture
def apart(catalog: IcebergCatalog, table: TableName, schema: TableSchema) -> PhysicalName:
    """A physical table staged to replace another."""
    catalog.create(table, schema)
    made = PhysicalName.of(table, branch_of(new_attempt()))
    catalog.create(made, schema)
    return made


def of(dropped: DroppedFolders, table: TableName) -> list[LeftBehind]:
    return [left for left in dropped.found() if left.table == table]


def test_what_a_purge_leaves_goes_with_its_note(
    catalog: IcebergCatalog, dropped: DroppedFolders, table: TableName, apart: PhysicalName
) -> None:
    head = catalog.head(apart)
    assert head is not None
    forgotten = catalog.write_attachment(apart, "ledger-of-files.json", b"{}")
    assert of(dropped, table) == []
    catalog.drop_physical(apart)
    assert catalog.read_attachment(forgotten) == b"{}", "no metadata refers to it, so no purge knows it"
    (left,) = of(dropped, table)
    assert (left.location, left.files, left.is_referenced) == (head.location, 1, False)
    assert dropped.remove(left)
    assert of(dropped, table) == []
    assert not dropped.remove(left)
    assert catalog.head(table) is not None


def test_a_folder_that_the_catalog_points_into_stays(
    here: CatalogSettings, catalog: IcebergCatalog, dropped: DroppedFolders, table: TableName, apart: PhysicalName
) -> None:
    """A purge killed before the row was gone; a database restored to before; a table swapped in meanwhile."""
    head = catalog.head(apart)
    assert head is not None
    catalog.drop_physical(apart)
    (left,) = of(dropped, table)
    lake = open_catalog(here)
    lake.register_table(apart.identifier, _copied(catalog, table, head.location))
    lake.close()
    assert not dropped.remove(left), "it was known again since it was looked at"
    (known,) = of(dropped, table)
    assert known.is_referenced
    assert not dropped.remove(known)
    assert catalog.head(apart) is not None


@pytest.mark.parametrize("place", ["", "/bronze", "/jobs", "/bronze/a/data"])
def test_a_note_never_names_more_than_one_tables_folder(
    here: CatalogSettings, catalog: IcebergCatalog, dropped: DroppedFolders, table: TableName, apart: PhysicalName,
    place: str,
) -> None:  # fmt: skip
    _write_note(catalog, here, table, f"{here.warehouse}{place}")
    (left,) = of(dropped, table)
    assert left.is_referenced
    assert not dropped.remove(left)
    assert catalog.head(apart) is not None


def test_a_note_whose_writer_was_killed_is_no_more_than_a_note(
    here: CatalogSettings, catalog: IcebergCatalog, dropped: DroppedFolders, table: TableName, apart: PhysicalName
) -> None:
    name = _write_note(catalog, here, table, "", text='{"table": ')
    (left,) = [left for left in dropped.found() if name in left.place]
    assert (left.table, left.location) == (None, "")
    assert dropped.remove(left)
    assert catalog.head(apart) is not None


def _copied(catalog: IcebergCatalog, table: TableName, location: str) -> str:
    """Metadata in a folder, as a table that lies there has it."""
    head = catalog.head(table)
    assert head is not None
    path = f"{location}/metadata/00000-{uuid4()}.metadata.json"
    _write(catalog, path, catalog.read_attachment(head.metadata_location))
    return path


def _write_note(
    catalog: IcebergCatalog, here: CatalogSettings, table: TableName, location: str, text: str | None = None
) -> str:
    name = uuid4().hex
    note = {"table": table.model_dump(mode="json"), "location": location, "at": datetime.now(UTC).isoformat()}
    _write(catalog, f"{here.warehouse}/dropped/{name}.json", (text or json.dumps(note)).encode())
    return name


def _write(catalog: IcebergCatalog, path: str, content: bytes) -> None:
    from pyiceberg.io import load_file_io

    with load_file_io(catalog._lake.properties, path).new_output(path).create() as stream:
        stream.write(content)
