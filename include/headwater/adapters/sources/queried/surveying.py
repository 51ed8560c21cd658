"""What a cursor's values say of a relation before a run reads it: how far it may go, and what is unusable (rule 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from headwater.adapters.sources.queried import statements
from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.cursors import Cursor
from headwater.adapters.sources.queried.database import Clock, Relation, Session
from headwater.adapters.sources.surveying import Survey, check_bearable
from headwater.domain.spec import SqlExtract, TableSpec

_SECOND = timedelta(seconds=1)
_HASHES = 1 << 128


@dataclass(frozen=True, slots=True)
class Reading:
    """What is planned: one cursor of one relation."""

    session: Session
    table: TableSpec
    extract: SqlExtract
    relation: Relation
    columns: tuple[QueriedColumn, ...]
    cursor: Cursor

    def zone_digest(self, watermark: str, unusable: tuple[int, int] | None = None) -> str:
        """A text that changes when a row of (watermark - lag, watermark], or the number of unusable cursors, does.

        :param unusable: those numbers, where they are known already.
        """
        rows, total = 0, 0
        if self.extract.lag:
            low = self.cursor.below(watermark, self.extract.lag)
            zone = statements.rows(self.columns, self.relation, self.cursor, self.cursor.inside(low, watermark))
            # hashed here: hash functions of databases take no large values, or need grants of their own
            for batch in self.session.batches(zone):
                rows += len(batch)
                total += sum(int.from_bytes(sha256(repr(tuple(row)).encode()).digest()[:16], "big") for row in batch)
        nulls, futures = unusable or self.unusable()
        return f"zone-v1:{rows}:{total % _HASHES}:{nulls}:{futures}"

    def unusable(self) -> tuple[int, int]:
        """Numbers of NULL cursors and of cursors in the future, which an index can answer."""
        [(nulls, futures)] = self.session.all(statements.unusable_counts(self.relation, self.cursor))
        return int(nulls), int(futures)


def survey(reading: Reading) -> Survey:
    """Look at the cursor, by its index where it has one.

    The greatest cursor is not in the future, and no open transaction can still undercut it.

    :raises SourceDataError: when there are unusable cursors and the policy is ``stop``.
    """
    nulls, futures = reading.unusable()
    check_bearable(reading.table, reading.extract, ".".join(reading.relation), nulls, futures)
    condition = settled(reading.cursor, reading.cursor.database.clock(reading.session))
    [(highest,)] = reading.session.all(statements.highest(reading.relation, reading.cursor, condition))
    if isinstance(highest, bytes):
        highest = highest.hex()
    return Survey(nulls, futures, None if highest is None else str(highest))


def settled(cursor: Cursor, clock: Clock) -> str:
    """Cursors up to now and before every open transaction.

    Local times may be written in UTC or in the server's zone: the later reading of both is taken for "now", the
    earlier for "open since". A row stamped with the very start of an open transaction may still appear.
    """
    column = cursor.column
    if column.moments is None:
        return cursor.database.settled(column) or "1 = 1"
    offset = timedelta(0) if column.type == "timestamptz" else clock.local_offset
    now = cursor.value(cursor.floor(clock.utc + max(offset, timedelta(0))))
    parts = [f"{cursor.name} >= {cursor.database.first_day(column)}", f"{cursor.name} <= {now}"]
    if clock.oldest_seconds is not None:
        # whole seconds are all it tells
        since = clock.utc + min(offset, timedelta(0)) - timedelta(seconds=clock.oldest_seconds) - _SECOND
        parts.append(f"{cursor.name} < {cursor.value(cursor.floor(since))}")
    return " AND ".join(parts)
