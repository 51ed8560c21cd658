"""A group of files looked into: the columns that some records of its newest file have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from headwater.adapters.sources.files.grouping import Group
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.parquet_types import columns_of_parquet
from headwater.adapters.sources.files.samples import UnreadableSampleError
from headwater.adapters.sources.files.sampling import sampled
from headwater.adapters.sources.files.shape import NULL_PARTITION
from headwater.adapters.sources.files.typing_samples import guessed_types, unique_columns
from headwater.adapters.sources.offering import problem_of_names
from headwater.domain.errors import SourceDataError
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import FilesExtract, Silver, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import SourceRelation

if TYPE_CHECKING:
    import duckdb

SCHEMA = "files"
"""What stands before the name of each group, as a schema does before a relation's."""
UNKNOWN = {"any": "string"}
"""Columns of an extract that is not declared yet."""


@dataclass(frozen=True, slots=True)
class Look:
    """Looks into the newest file of a group."""

    connection: ConnectionInfo
    engine: duckdb.DuckDBPyConnection
    scratch: Path

    def offer(self, group: Group) -> SourceRelation:
        """What is guessed of a group, or why nothing can be."""
        known: dict[str, Any] = {"path": group.path, "format": group.format, "partitions": group.partitions}
        known = {key: value for key, value in known.items() if value}
        landing = landing_of(self.connection, known)
        try:
            columns, keys, options = self._columns(landing, group)
            columns |= self._partitions(group)
            problem = problem_of_names(list(columns), group.path)
        except UnreadableSampleError as error:
            columns, keys, options, problem = UNKNOWN, (), {}, str(error)
        except SourceDataError as error:
            columns, keys, options, problem = UNKNOWN, (), {}, f"{error.message}: {error.got}"
        unique = f", and that {keys[0]} is never there twice" if keys else ""
        doubt = f"columns and types are guessed from {group.sample.path}{unique}"
        extract = FilesExtract.model_validate(known | options | {"columns": columns})
        return offered(group.name, extract, f"Files of {group.path}.", keys[:1], problem, doubt)

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


def landing_of(connection: ConnectionInfo, known: dict[str, Any]) -> Landing:
    """The landing place of an extract whose columns are not declared yet."""
    extract = FilesExtract.model_validate({**known, "columns": UNKNOWN, "partitions": ()})
    return Landing.of(connection, TableSpec(name="any", extract=extract, silver=Silver(mode="append")), extract)


def offered(
    name: str, extract: FilesExtract, comment: str, key: tuple[str, ...], problem: str | None, doubt: str
) -> SourceRelation:
    """A table that the extract would read. :param comment: what the YAML says of it."""
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


def _value(part: str) -> str | None:
    text = part.partition("=")[2]
    return None if text == NULL_PARTITION else unquote(text)
