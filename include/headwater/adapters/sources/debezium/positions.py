"""Positions of events (rule 27): epoch, commit LSN, LSN, order."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from headwater.adapters.sources.debezium.envelope import Envelope
from headwater.adapters.sources.debezium.events import StreamRecord, UnreadableEventError

_PARTITION = 10**12
"""Offsets of one partition stay below this in the last segment."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands in the source's log.

    ``commit_lsn`` is the commit before the event's transaction: transactions come in the order of their commits, while
    LSNs of interleaved ones step back.
    """

    commit_lsn: int
    lsn: int
    order: int
    event_at: datetime

    def position(self, epoch: int) -> str:
        """Sortable text of fixed width."""
        return f"{epoch:04d}-{self.commit_lsn:016x}-{self.lsn:016x}-{self.order:016d}"

    def after(self) -> Place:
        """Just after this place: where a tombstone stands, which tells no place of its own."""
        return replace(self, order=self.order + 1)


def place_of(envelope: Envelope, record: StreamRecord, last: Place | None) -> Place:
    """The place of an event of PostgreSQL.

    Rows of a snapshot share one LSN and are told apart by partition and offset; so are rows of an incremental snapshot,
    which have no LSN and stand at the last one the connector, or else the partition, had seen.

    :raises UnreadableEventError: when the event tells no place and none is known of its partition.
    """
    source, event_at = envelope.source, _event_at(envelope.source)
    by_offset = record.partition * _PARTITION + record.offset
    commit, lsn = _sequence(source)
    if source.get("lsn") is not None:
        lsn = int(source["lsn"])
        order = by_offset if _is_snapshot(source) else (envelope.total_order or 0)
        return Place(lsn if commit is None else commit, lsn, order, event_at)
    if lsn is not None:
        return Place(lsn if commit is None else commit, lsn, by_offset, event_at)
    if last is None:
        raise UnreadableEventError("position is known", "the event has no LSN, and none was seen on its partition")
    return Place(last.commit_lsn, last.lsn, by_offset, event_at)


def _is_snapshot(source: dict[str, Any]) -> bool:
    return str(source.get("snapshot") or "false") != "false"


def _sequence(source: dict[str, Any]) -> tuple[int | None, int | None]:
    """(last commit LSN, LSN) of ``source.sequence``, a JSON text of two texts."""
    try:
        commit, lsn = json.loads(source.get("sequence") or "[null, null]")
        return None if commit is None else int(commit), None if lsn is None else int(lsn)
    except (ValueError, TypeError) as error:
        raise UnreadableEventError("position is known", f"source.sequence is {source.get('sequence')!r}") from error


def _event_at(source: dict[str, Any]) -> datetime:
    micros = source.get("ts_us") or (source.get("ts_ms") or 0) * 1000
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(micros))
