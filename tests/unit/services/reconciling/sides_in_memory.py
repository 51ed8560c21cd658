"""Both sides of a comparison as dictionaries."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from headwater.domain.canonical_text import bucket_of, key_digest
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.ports.reconciling import Bounds, Bucket, ComparedColumn, Comparison, PrintedRow

TABLE = TableSpec(
    name="orders",
    key=("id",),
    extract=SqlExtract(mode="incremental", cursor="at"),
    silver=Silver(mode="upsert", sequence_by="at"),
)
COLUMNS = tuple(ComparedColumn(source=name, lake=name, type="long") for name in ("id", "value", "at"))


def comparison(bits: int) -> Comparison:
    return Comparison(table=TABLE, columns=COLUMNS, watermark="100", bits=bits)


@cache
def printed(number: int, value: int, at: int = 0, *, unread: bool = False) -> PrintedRow:
    content = hashlib.md5(f"{number}|{value}|{at}".encode(), usedforsecurity=False).hexdigest()
    return PrintedRow((str(number),), content, at, unread)


@dataclass
class Side:
    """Rows by their number; ``read`` counts the rows that left the side one by one."""

    held: dict[int, PrintedRow]
    read: int = 0
    out: set[str] = field(default_factory=set)
    relation: str = "public.orders"

    def schema(self) -> TableSchema:
        return TableSchema(columns=tuple(Column(name=item.source, type=item.type) for item in COLUMNS))

    def columns(self) -> Mapping[str, str]:
        return {item.lake: "integer" for item in COLUMNS}

    def bounds(self, compared: Comparison) -> Bounds:
        return Bounds(100, 100)

    def unread_keys(self, compared: Comparison) -> Iterable[str]:
        return [digest(row) for row in self.held.values() if row.unread]

    def size(self) -> int:
        return len(self.held)

    def leave_out(self, bounds: Bounds, keys: Iterable[str]) -> int:
        self.out = set(keys)
        return len(self.out)

    def buckets(self, compared: Comparison) -> Mapping[int, Bucket]:
        found: dict[int, Bucket] = {}
        for row in self._compared():
            number = bucket_of(digest(row), compared.bits)
            before = found.get(number, Bucket(0, 0))
            found[number] = Bucket(before.rows + 1, (before.hashes + int(row.content[:16], 16)) % (1 << 64))
        return found

    def rows(self, compared: Comparison, buckets: Collection[int]) -> list[PrintedRow]:
        wanted = set(buckets)
        found = [row for row in self._compared() if bucket_of(digest(row), compared.bits) in wanted]
        self.read += len(found)
        return found

    def rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> list[PrintedRow]:
        return [row for row in self.held.values() if row.key in keys]

    def bronze_rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> list[PrintedRow]:
        return self.rows_of(compared, keys)

    def bronze_versions_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> set[Any]:
        return {(row.key, row.content) for row in self.rows_of(compared, keys)}

    def quarantined(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> set[tuple[str, ...]]:
        return set()

    def _compared(self) -> list[PrintedRow]:
        return [row for row in self.held.values() if not row.unread and digest(row) not in self.out]


def digest(row: PrintedRow) -> str:
    return _digest(row.key)


@cache
def _digest(key: tuple[str, ...]) -> str:
    return key_digest(key, ["long"])
