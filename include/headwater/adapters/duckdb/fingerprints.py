"""Fingerprints of a release's rows, computed by DuckDB over the pinned snapshots."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.canonical import Relation, family_of
from headwater.adapters.duckdb.engine import writer
from headwater.adapters.duckdb.snapshots import columns_of, load_iceberg, scan_of
from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.sources.printing import HALF
from headwater.domain.canonical_text import key_digest
from headwater.domain.names import Layer
from headwater.domain.spec import TableSpec
from headwater.domain.storage import S3Settings
from headwater.ports.reconciling import Bounds, Bucket, Comparison, PrintedRow, ReleasedRows

if TYPE_CHECKING:
    import duckdb

UNREAD, ASKED = "unread", "asked"
_LOADED_AT_ONCE = 100_000


@contextmanager
def opened(s3: S3Settings | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with the tables that digests are loaded into."""
    with writer() as engine:
        load_iceberg(engine, s3)
        engine.execute(f"CREATE TEMP TABLE {UNREAD} (digest VARCHAR); CREATE TEMP TABLE {ASKED} (digest VARCHAR)")
        yield engine


@contextmanager
def released_rows(released: ReleasedRows, table: TableSpec, s3: S3Settings | None = None) -> Iterator[DuckDbRows]:
    """The rows of a release, whose snapshots nobody moves while they are read."""
    with opened(s3) as engine:
        yield DuckDbRows(engine, released, table)


class DuckDbRows:
    """``ports.reconciling.LakeRows``: silver's current rows, or bronze's where silver has other columns."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, released: ReleasedRows, table: TableSpec) -> None:
        self._engine = engine
        self._released = released
        self._table = table
        self._bronze_types = columns_of(engine, scan_of(released.bronze))
        self._bounds = Bounds(None, None)
        self._unread = 0
        self._current = self._bronze() if released.compared.table.layer is Layer.BRONZE else self._silver()

    def columns(self) -> dict[str, str]:
        return {name: family_of(kind) for name, kind in self._current.types.items()}

    def size(self) -> int:
        row = self._engine.execute(f"SELECT count(*) FROM {scan_of(self._released.compared)}").fetchone()  # noqa: S608 - a scan of our own
        return int(row[0]) if row else 0

    def leave_out(self, bounds: Bounds, keys: Iterable[str]) -> int:
        self._bounds = bounds
        self._unread = self._load(UNREAD, keys)
        return self._unread

    def buckets(self, compared: Comparison) -> dict[int, Bucket]:
        rows = self._compared(compared)
        half = f"('0x' || {rows.digest(compared.columns)}[1:16])::UBIGINT"
        found = self._engine.execute(
            f"SELECT {rows.bucket(compared)}, count(*), sum({half}) FROM ({rows.select}) b GROUP BY 1"  # noqa: S608 - made of quoted names and literals
        )
        return {row[0]: Bucket(row[1], int(row[2]) % HALF) for row in found.fetchall()}

    def rows(self, compared: Comparison, buckets: Collection[int]) -> list[PrintedRow]:
        if not buckets:
            return []
        rows = self._compared(compared)
        wanted = f"{rows.bucket(compared)} IN ({', '.join(map(str, sorted(buckets)))})"
        return self._printed(compared, rows.where(wanted))

    def rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> list[PrintedRow]:
        self._ask(compared, keys)
        return self._printed(compared, self._current.where(_is_asked(self._current, compared)))

    def bronze_rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> list[PrintedRow]:
        named = compared.by_source
        self._ask(compared, keys)
        rows = self._bronze(_is_asked(self._all_bronze(), named))
        return self._printed(named, rows, batch="b._hw_batch")

    def bronze_versions_of(
        self, compared: Comparison, keys: Collection[tuple[str, ...]]
    ) -> set[tuple[tuple[str, ...], str]]:
        if not keys:
            return set()
        named, rows = compared.by_source, self._all_bronze()
        self._ask(compared, keys)
        return {(row.key, row.content) for row in self._printed(named, rows.where(_is_asked(rows, named)))}

    def quarantined(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> set[tuple[str, ...]]:
        if self._released.quarantine is None or not keys:
            return set()
        # both forms of a key's JSON, PostgreSQL's and Spark's, lead to the value, and the value to its text;
        # extraction writes it in the source's names, the row rules of silver in silver's
        values = ", ".join(
            f"TRY_CAST(coalesce({_field(name)}, {_field(renamed)}) AS {self._bronze_types[name]}) AS {quoted(name)}"
            for name, renamed in zip(self._table.key, self._table.silver_key, strict=True)
        )
        scan = scan_of(self._released.quarantine)
        select = f"SELECT {values} FROM {scan} WHERE _hw_key IS NOT NULL AND json_valid(_hw_key)"  # noqa: S608 - made of quoted names and literals
        rows, named = Relation(select, self._bronze_types), compared.by_source
        self._ask(compared, keys)
        found = self._engine.execute(
            f"SELECT DISTINCT {rows.texts(named.key)} FROM ({rows.select}) b WHERE {_is_asked(rows, named)}"  # noqa: S608 - made of quoted names and literals
        )
        return {tuple(map(str, row)) for row in found.fetchall()}

    def _compared(self, compared: Comparison) -> Relation:
        """The current rows without those that the source does not compare."""
        rows = self._current
        if self._bounds.high is not None:
            rows = rows.where(f"{rows.ordinal(compared.cursor)} <= {self._bounds.high}")
        if self._unread:
            rows = rows.where(f"{rows.digest(compared.key)} NOT IN (SELECT digest FROM {UNREAD})")  # noqa: S608 - made of quoted names and literals
        return rows

    def _silver(self) -> Relation:
        scan = scan_of(self._released.compared)
        types = columns_of(self._engine, scan)
        rows = Relation(f"SELECT * FROM {scan}", types)  # noqa: S608 - a scan of our own
        rows = rows.where("b._hw_deleted IS NOT TRUE") if "_hw_deleted" in types else rows
        return rows.where("b.batch_out IS NULL AND b.valid_to IS NULL") if self._table.silver.form == "scd2" else rows

    def _all_bronze(self) -> Relation:
        return Relation(f"SELECT * FROM {scan_of(self._released.bronze)}", self._bronze_types)  # noqa: S608 - a scan of our own

    def _bronze(self, condition: str = "true") -> Relation:
        """Of each key the row that silver is made of; of a full extract the rows of its last batch."""
        scan = scan_of(self._released.bronze)
        if self._table.extract.mode == "snapshot":
            condition += f" AND b._hw_batch = (SELECT max(_hw_batch) FROM {scan})"  # noqa: S608 - a scan of our own
            return Relation(f"SELECT * FROM {scan} b WHERE {condition}", self._bronze_types)  # noqa: S608 - made of quoted names and literals
        keys = ", ".join(f"b.{quoted(name)}" for name in self._table.key)
        sequence = self._table.silver.sequence_by
        first = f"b.{quoted(sequence)} DESC NULLS LAST, " if sequence else ""
        select = (
            f"SELECT * FROM {scan} b WHERE {condition} QUALIFY row_number() OVER "  # noqa: S608 - made of quoted names and literals
            f"(PARTITION BY {keys} ORDER BY {first}b._hw_position DESC) = 1"
        )
        return Relation(select, self._bronze_types)

    def _printed(self, compared: Comparison, rows: Relation, batch: str = "NULL") -> list[PrintedRow]:
        found = self._engine.execute(
            f"SELECT {rows.digest(compared.columns)}, {rows.ordinal(compared.cursor)}, {batch}, "  # noqa: S608 - made of quoted names and literals
            f"{rows.texts(compared.key)} FROM ({rows.select}) b"
        )
        return [PrintedRow(tuple(map(str, row[3:])), row[0], row[1], batch=row[2]) for row in found.fetchall()]

    def _ask(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> None:
        types = [item.type for item in compared.key]
        self._load(ASKED, (key_digest(key, types) for key in keys))

    def _load(self, name: str, digests: Iterable[str]) -> int:
        import pyarrow as pa

        self._engine.execute(f"DELETE FROM {name}")  # noqa: S608 - a name of ours
        waiting, count = iter(digests), 0
        while chunk := list(islice(waiting, _LOADED_AT_ONCE)):
            self._engine.register("chunk", pa.table({"digest": chunk}))
            self._engine.execute(f"INSERT INTO {name} SELECT digest FROM chunk")  # noqa: S608 - a name of ours
            self._engine.unregister("chunk")
            count += len(chunk)
        return count


def _is_asked(rows: Relation, compared: Comparison) -> str:
    return f"{rows.digest(compared.key)} IN (SELECT digest FROM {ASKED})"  # noqa: S608 - made of quoted names and literals


def _field(name: str) -> str:
    """A field of a key's JSON, as text."""
    return f"json_extract_string(_hw_key, {literal('$.' + quoted(name))})"
