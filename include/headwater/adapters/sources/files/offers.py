"""What a landing folder offers to a new source: groups of files, with the columns that some of their records have."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from headwater.adapters.sources.duckdb_engine import writer
from headwater.adapters.sources.files.delta_log import DeltaLog
from headwater.adapters.sources.files.grouping import Group, groups
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.locations import store_of
from headwater.adapters.sources.files.parquet_types import columns_of_delta, columns_of_parquet
from headwater.adapters.sources.files.sampling import UnreadableSampleError, sampled
from headwater.adapters.sources.files.shape import NULL_PARTITION
from headwater.adapters.sources.files.store import FileStore
from headwater.adapters.sources.files.typing_samples import guessed_types, unique_columns
from headwater.adapters.sources.offering import problem_of_names
from headwater.domain.errors import SourceDataError, SourceTableMissingError
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import FilesExtract, Silver, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import SourceRelation

if TYPE_CHECKING:
    import duckdb

SCHEMA = "files"
"""What stands before the name of each group, as a schema does before a relation's."""
MOST_FILES = 100_000
_LOGS = ("00000000000000000000.json", "_last_checkpoint")
_UNKNOWN = {"any": "string"}
"""Columns of an extract that is not declared yet."""


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
        look = _Look(connection, engine, Path(scratch))
        found += [look.offer(group) for group, folder in zip(every, tables, strict=True) if not folder]
    return tuple(_named(found))


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks into the newest file of a group."""

    connection: ConnectionInfo
    engine: duckdb.DuckDBPyConnection
    scratch: Path

    def offer(self, group: Group) -> SourceRelation:
        known: dict[str, Any] = {"path": group.path, "format": group.format, "partitions": group.partitions}
        known = {key: value for key, value in known.items() if value}
        landing = _landing(self.connection, known)
        try:
            columns, keys, options = self._columns(landing, group)
            columns |= self._partitions(group)
            problem = problem_of_names(list(columns), group.path)
        except UnreadableSampleError as error:
            columns, keys, options, problem = _UNKNOWN, (), {}, str(error)
        except SourceDataError as error:
            columns, keys, options, problem = _UNKNOWN, (), {}, f"{error.message}: {error.got}"
        unique = f", and that {keys[0]} is never there twice" if keys else ""
        doubt = f"columns and types are guessed from {group.sample.path}{unique}"
        extract = FilesExtract.model_validate(known | options | {"columns": columns})
        count = f"{len(group.files):,} files in {group.path}." if len(group.files) > 1 else f"The file {group.path}."
        return _relation(group.name, extract, count, keys[:1], problem, doubt)

    def _columns(self, landing: Landing, group: Group) -> tuple[dict[str, str], tuple[str, ...], dict[str, Any]]:
        if group.format == "parquet":
            local, _ = landing.fetch(group.sample, self.scratch)
            return (*columns_of_parquet(self.engine, local), {})
        sample = sampled(landing, group.sample, self.scratch)
        kinds = self._kinds(sample.names, sample.rows, sample.texts_only)
        keys = unique_columns(self.engine, "sample", sample.names, kinds)
        return dict(zip(sample.names, kinds, strict=True)), keys, sample.options

    def _partitions(self, group: Group) -> dict[str, str]:
        paths = [PurePosixPath(file.path).parts for file in group.files]
        rows = [[_value(part) for part in parts if "=" in part] for parts in paths]
        return dict(zip(group.partitions, self._kinds(group.partitions, rows), strict=True))

    def _kinds(
        self, names: Sequence[str], rows: Sequence[Sequence[str | None]], texts_only: frozenset[str] = frozenset()
    ) -> tuple[str, ...]:
        import pyarrow as pa

        if not names:
            return ()
        texts = {f"c{place}": pa.array([row[place] for row in rows], pa.string()) for place in range(len(names))}
        self.engine.register("sample", pa.table(texts))
        return guessed_types(self.engine, "sample", names, texts_only)


def _landing(connection: ConnectionInfo, known: dict[str, Any]) -> Landing:
    extract = FilesExtract.model_validate({**known, "columns": _UNKNOWN, "partitions": ()})
    return Landing.of(connection, TableSpec(name="any", extract=extract, silver=Silver(mode="append")), extract)


def _delta(connection: ConnectionInfo, folder: str) -> SourceRelation:
    known = {"path": folder, "format": "delta"}
    columns, problem = _UNKNOWN, None
    try:
        columns = columns_of_delta(DeltaLog.open(_landing(connection, known)).types())
        problem = problem_of_names(list(columns), folder)
    except SourceDataError as error:
        problem = f"{error.message}: {error.got}"
    doubt = "versions that append are read; where rows change or go, declare `mode: snapshot` and a key"
    extract = FilesExtract.model_validate(known | {"columns": columns})
    return _relation(PurePosixPath(folder).name, extract, f"The Delta table {folder}.", (), problem, doubt)


def _folder_of_delta(store: FileStore, group: Group) -> str:
    """The folder of the Delta table that the group's files are data of; empty where there is none."""
    if group.format != "parquet":
        return ""
    folders = (str(folder) for folder in PurePosixPath(group.sample.path).parents if str(folder) != ".")
    logs = ((folder, f"{folder}/_delta_log/{name}") for folder in folders for name in _LOGS)
    return next((folder for folder, log in logs if store.stat(log) is not None), "")


def _relation(
    name: str, extract: FilesExtract, comment: str, key: tuple[str, ...], problem: str | None, doubt: str
) -> SourceRelation:
    columns = (Column(name=column, type=kind, source_type=extract.format) for column, kind in extract.columns.items())
    return SourceRelation(
        relation=f"{SCHEMA}.{name}",
        primary_key=(),
        unique_key=key,
        cursor_candidates=(),
        schema_=TableSchema(columns=tuple(columns)),
        comment=comment,
        problem=problem,
        files=extract,
        doubt=doubt,
    )


def _named(found: Iterable[SourceRelation]) -> Iterator[SourceRelation]:
    """Relations with names of their own."""
    taken: Counter[str] = Counter()
    for item in found:
        taken[item.relation] += 1
        number = taken[item.relation]
        yield item if number == 1 else item.model_copy(update={"relation": f"{item.relation}_{number}"})


def _value(part: str) -> str | None:
    text = part.partition("=")[2]
    return None if text == NULL_PARTITION else unquote(text)
