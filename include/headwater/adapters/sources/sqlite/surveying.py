"""What a cursor's values say of a relation before a run reads it: how far it may go, and what is unusable (rule 6)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from headwater.adapters.duckdb.sql import quoted
from headwater.adapters.sources.sqlite.cursors import Cursor
from headwater.adapters.sources.sqlite.instants import shown
from headwater.adapters.sources.surveying import Survey, check_bearable
from headwater.domain.spec import SqlExtract, TableSpec

_HASHES = 1 << 128


@dataclass(frozen=True, slots=True)
class Reading:
    """What is planned: one cursor of one relation, as it is at ``now``."""

    session: sqlite3.Connection
    table: TableSpec
    extract: SqlExtract
    relation: str
    cursor: Cursor
    now: datetime

    def zone_digest(self, watermark: str, unusable: tuple[int, int] | None = None) -> str:
        """A text that changes when a row of (watermark - lag, watermark], or the number of unusable cursors, does.

        :param unusable: those numbers, where they are known already.
        """
        total = rows = 0
        if self.extract.lag:
            value, low = self.cursor.value, self.cursor.below(watermark, self.extract.lag)
            query = f"SELECT * FROM {quoted(self.relation)} WHERE {value} > ? AND {value} <= ?"  # noqa: S608 - made of quoted names and literals
            for row in self.session.execute(query, (low, watermark)):
                total += int.from_bytes(sha256(repr(row).encode("utf-8", "surrogatepass")).digest()[:16], "big")
                rows += 1
        nulls, futures = unusable or self.unusable()
        return f"zone-v1:{rows}:{total % _HASHES}:{nulls}:{futures}"

    def unusable(self) -> tuple[int, int]:
        """Numbers of NULL cursors, those of another type among them, and of cursors in the future."""
        nulls, futures = (self.one(f"count(*) FILTER (WHERE {rule})") for rule in self.cursor.is_unusable(self.now))
        return int(nulls), int(futures)

    def one(self, select: str, *values: object) -> Any:
        row = self.session.execute(f"SELECT {select} FROM {quoted(self.relation)}", values).fetchone()  # noqa: S608 - as above
        return row[0]


def survey(reading: Reading) -> Survey:
    """Look at the cursor. The greatest one is not in the future.

    :raises SourceDataError: when there are unusable cursors and the policy is ``stop``.
    """
    nulls, futures = reading.unusable()
    check_bearable(reading.table, reading.extract, reading.relation, nulls, futures, "NULL or of another type")
    return Survey(nulls, futures, _highest(reading))


def _highest(reading: Reading) -> str | None:
    """Local times may be of UTC or of this machine's zone."""
    cursor, now = reading.cursor, reading.now
    if not cursor.is_time:
        found = reading.one(f"max({cursor.value})")
    else:
        is_utc = cursor.column.type == "timestamptz"
        offset = timedelta(0) if is_utc else now.astimezone().utcoffset() or timedelta(0)
        latest = shown(now + max(offset, timedelta(0)))
        found = reading.one(f"max({cursor.value}) FILTER (WHERE {cursor.value} <= ?)", latest)
    return None if found is None else str(found)
