"""Fingerprints of rows that were read: typed and judged by the code that extracts them, hashed by the lake's engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.canonical import Relation
from headwater.adapters.duckdb.engine import make_room
from headwater.adapters.duckdb.snapshots import columns_of
from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.sources.printing import HALF
from headwater.adapters.sources.text_values import is_untypable, typed
from headwater.adapters.sources.texts import TextFile
from headwater.domain.canonical_text import key_digest
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import TableSpec
from headwater.ports.reconciling import Bounds, Bucket, Comparison, PrintedRow

if TYPE_CHECKING:
    import duckdb

ASIDE = "_hw_aside"
_FETCHED = 50_000


@dataclass
class ReadRows(ABC):
    """``ports.reconciling.SourceRows`` over rows that are read once and printed here.

    What an extract would set aside is not compared.

    :param scratch: an empty folder of its own.
    """

    table: TableSpec
    engine: duckdb.DuckDBPyConnection
    scratch: Path
    _printed: Comparison | None = field(default=None, init=False)

    @abstractmethod
    def schema(self) -> TableSchema: ...
    @abstractmethod
    def bounds(self, compared: Comparison) -> Bounds: ...
    @abstractmethod
    def read(self, target: TextFile, compared: Comparison, keys: Collection[tuple[str, ...]] | None) -> None:
        """Leave the rows as texts of the schema's columns. :param keys: rows with other keys may be left out."""

    def unread_keys(self, compared: Comparison) -> Iterator[str]:
        found = self.engine.execute(f"SELECT digest FROM {self._prints(compared)} WHERE unread")  # noqa: S608 - a file of ours
        # the engine is asked nothing else meanwhile: digests are loaded into the lake's
        while rows := found.fetchmany(_FETCHED):
            yield from (str(row[0]) for row in rows)

    def buckets(self, compared: Comparison) -> dict[int, Bucket]:
        half = "sum(('0x' || content[1:16])::UBIGINT)"
        query = f"SELECT bucket, count(*), {half} FROM {self._prints(compared)} WHERE NOT unread GROUP BY 1"  # noqa: S608 - as above
        return {row[0]: Bucket(row[1], int(row[2]) % HALF) for row in self.engine.execute(query).fetchall()}

    def rows(self, compared: Comparison, buckets: Collection[int]) -> list[PrintedRow]:
        listed = ", ".join(map(str, sorted(buckets)))
        return self.found(self._prints(compared), f"bucket IN ({listed}) AND NOT unread") if buckets else []

    def rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> list[PrintedRow]:
        import pyarrow as pa

        if not keys:
            return []
        prints = self._prints(compared) if self._printed == compared else self._print(compared, keys)
        types = [column.type for column in compared.key]
        self.engine.register("asked", pa.table({"digest": [key_digest(key, types) for key in keys]}))
        return self.found(prints, "digest IN (SELECT digest FROM asked)")

    def found(self, prints: str, condition: str) -> list[PrintedRow]:
        """Printed rows for which a condition holds."""
        query = f"SELECT content, ordinal, unread, key FROM {prints} WHERE {condition}"  # noqa: S608 - a file of ours
        rows = self.engine.execute(query).fetchall()
        return [PrintedRow(tuple(key), content, ordinal, unread) for content, ordinal, unread, key in rows]

    def _prints(self, compared: Comparison) -> str:
        """The print of each row with a sound key, to select from: made once, of one snapshot."""
        if self._printed != compared:
            self._print(compared, None)
            self._printed = compared
        return literal(str(self._file))

    @property
    def _file(self) -> Path:
        return self.scratch / "prints.parquet"

    def _print(self, compared: Comparison, keys: Collection[tuple[str, ...]] | None) -> str:
        """Print rows anew. :param keys: those with other keys may be left out."""
        columns, texts = self.schema().columns, self.scratch / "texts.parquet"
        make_room(self.engine, len(columns))
        with TextFile(texts, len(columns)) as target:
            self.read(target, compared, keys)
        self.print_texts(texts, compared, columns, self._file)
        texts.unlink()
        return literal(str(self._file))

    def print_texts(
        self, texts: Path, compared: Comparison, columns: Sequence[Column], target: Path, more: str = ""
    ) -> None:
        """Hash texts of the columns. :param more: what else to print of a row ``b``."""
        named, rows = compared.by_source, judged(self.engine, texts, columns, self.table.key)
        ordinal, high = rows.ordinal(named.cursor), self.bounds(compared).high
        beyond = "false" if high is None else f"coalesce({ordinal} > {high}, true)"
        query = (
            f"SELECT {rows.bucket(named)} AS bucket, {rows.digest(named.key)} AS digest, "  # noqa: S608 - made of quoted names and literals
            f"{rows.digest(named.columns)} AS content, {ordinal} AS ordinal, b.{ASIDE} OR {beyond} AS unread, "
            f"[{rows.texts(named.key)}] AS key{more} FROM ({rows.select}) b"
        )
        self.engine.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION lz4)")


def judged(engine: duckdb.DuckDBPyConnection, texts: Path, columns: Sequence[Column], key: Sequence[str]) -> Relation:
    """The rows with a sound key, typed, and whether an extract would not take them."""
    types = {column.name: (f"c{place}", column.type) for place, column in enumerate(columns)}
    values = ", ".join(f"{typed(text, kind)} AS {quoted(name)}" for name, (text, kind) in types.items())
    aside = " OR ".join(["problem IS NOT NULL", *(is_untypable(*column) for column in types.values())])
    sound = " AND ".join(f"{types[name][0]} IS NOT NULL AND NOT {is_untypable(*types[name])}" for name in key)
    source = f"read_parquet({literal(str(texts))})"
    select = f"SELECT {values}, {aside} AS {ASIDE} FROM {source} WHERE {sound}"  # noqa: S608 - made of quoted names and literals
    return Relation(select, columns_of(engine, f"({select})"))
