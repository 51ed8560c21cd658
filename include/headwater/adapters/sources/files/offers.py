"""What a landing folder or bucket offers to a new source: Delta tables, and groups of files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice
from pathlib import Path, PurePosixPath

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.sources.files.delta_log import DeltaLog
from headwater.adapters.sources.files.grouping import Group, groups
from headwater.adapters.sources.files.locations import store_of
from headwater.adapters.sources.files.looking import UNKNOWN, Look, landing_of, offered
from headwater.adapters.sources.files.parquet_types import columns_of_delta
from headwater.adapters.sources.files.store import FileStore
from headwater.adapters.sources.offering import problem_of_names
from headwater.domain.errors import SourceDataError, SourceTableMissingError
from headwater.domain.spec import FilesExtract
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import SourceRelation

MOST_FILES = 100_000
_LOGS = ("00000000000000000000.json", "_last_checkpoint")


def list_groups(connection: ConnectionInfo) -> tuple[SourceRelation, ...]:
    """Every Delta table, and every group of files that looks like one table.

    :raises SourceTableMissingError: when the folder does not exist.
    """
    store = store_of(connection, {"connection": connection.id, "relation": "", "table": ""})
    if not store.is_folder(""):
        raise SourceTableMissingError(
            f"the landing folder of connection {connection.id!r} does not exist",
            got=store.root,
            remedy=f"Create the folder, or correct `path` of connection {connection.id!r}.",
            facts={"connection": connection.id},
        )
    every = groups(islice(store.list_files("**/*"), MOST_FILES))
    tables = [_folder_of_delta(store, group) for group in every]
    with tempfile.TemporaryDirectory(prefix="headwater-offers-") as scratch, writer() as engine:
        found = [_delta(connection, folder) for folder in dict.fromkeys(tables) if folder]
        look = Look(connection, engine, Path(scratch))
        found += [look.offer(group) for group, folder in zip(every, tables, strict=True) if not folder]
    return tuple(_named(found))


def _delta(connection: ConnectionInfo, folder: str) -> SourceRelation:
    known = {"path": folder, "format": "delta"}
    columns, problem = UNKNOWN, None
    try:
        columns = columns_of_delta(DeltaLog.open(landing_of(connection, known)).types())
        problem = problem_of_names(list(columns), folder)
    except SourceDataError as error:
        problem = f"{error.message}: {error.got}"
    doubt = "versions that append are read; where rows change or go, declare `mode: snapshot` and a key"
    extract = FilesExtract.model_validate(known | {"columns": columns})
    return offered(PurePosixPath(folder).name, extract, f"The Delta table {folder}.", (), problem, doubt)


def _folder_of_delta(store: FileStore, group: Group) -> str:
    """The folder of the Delta table that the group's files are data of; empty where there is none."""
    if group.format != "parquet":
        return ""
    folders = (str(folder) for folder in PurePosixPath(group.sample.path).parents if str(folder) != ".")
    logs = ((folder, f"{folder}/_delta_log/{name}") for folder in folders for name in _LOGS)
    return next((folder for folder, log in logs if store.stat(log) is not None), "")


def _named(found: Iterable[SourceRelation]) -> Iterator[SourceRelation]:
    """Relations with names of their own."""
    taken: set[str] = set()
    for item in found:
        names = chain([item.relation], (f"{item.relation}_{number}" for number in count(2)))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        yield item.model_copy(update={"relation": name})
