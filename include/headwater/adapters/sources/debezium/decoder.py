"""Records of one table's topic become bronze rows, in the order of each partition."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from headwater.adapters.sources.debezium.column_types import type_of_field, type_of_value
from headwater.adapters.sources.debezium.envelope import Envelope, Field, read_envelope, read_key
from headwater.adapters.sources.debezium.events import Change, Op, RejectedChange, StreamRecord, UnreadableEventError
from headwater.adapters.sources.debezium.positions import Place, place_of
from headwater.adapters.sources.debezium.values import is_unavailable, value_of

OLD_KEY_HEADER = "__debezium.oldkey"
_OPS = frozenset({"r", "c", "u", "d", "t"})


class ChangeDecoder:
    """Decodes the records of one table; keeps the last place of every partition.

    :param types: Iceberg types of the bronze columns; a column it lacks is typed by the event's schema, or its value.
    :param epoch: first segment of every position: new on failover or when the topic was made again (rule 27).
    :param places: (topic, partition) -> last place, of an earlier decoder.
    """

    def __init__(
        self,
        types: Mapping[str, str] | None = None,
        *,
        epoch: int = 0,
        places: Mapping[tuple[str, int], Place] | None = None,
    ) -> None:
        self.types = dict(types or {})
        self.epoch = epoch
        self.places = dict(places or {})
        self._deleted: dict[tuple[str, int], str | None] = {}

    def decode(self, record: StreamRecord) -> Change | RejectedChange | None:
        """The row of a record; None for a tombstone that only repeats the deletion before it, and logical messages."""
        partition, position = (record.topic, record.partition), None
        try:
            if record.value is None:
                return self._tombstone(record, partition)
            envelope = read_envelope(record)
            if envelope.op == "m":
                return None
            place = place_of(envelope, record, self.places.get(partition))
            position = place.position(self.epoch)
            self.places[partition] = place
            self._deleted[partition] = record.key if envelope.op == "d" else None
            return self._change(record, envelope, place)
        except UnreadableEventError as error:
            payload = record.value if record.value is not None else ""
            return RejectedChange(
                error.rule, str(error), payload, record.origin, self._readable_key(record.key), position
            )

    def _change(self, record: StreamRecord, envelope: Envelope, place: Place) -> Change:
        if envelope.op not in _OPS:
            raise UnreadableEventError("event is readable", f"no such operation: {envelope.op!r}")
        op, row = cast("Op", envelope.op), envelope.after
        if op == "d":
            # the image before is made up of defaults unless the table has REPLICA IDENTITY FULL
            row = envelope.key if envelope.key is not None else envelope.before
        if op != "t" and row is None:
            raise UnreadableEventError("event is readable", f"an event of operation {op} has no row")
        told, unavailable = {}, []
        for name, value in (row or {}).items():
            kind, field = self._typed(name, value, envelope.fields)
            if is_unavailable(value, kind):
                unavailable.append(name)
            else:
                told[name] = value_of(value, kind, name, field)
        old = record.header(OLD_KEY_HEADER) if op == "c" else None
        return Change(
            op=op,
            position=place.position(self.epoch),
            event_at=place.event_at,
            origin=record.origin,
            values=told,
            carried=tuple(told),
            unavailable=tuple(unavailable),
            old_key=None if old is None else self._key_text(old),
        )

    def _tombstone(self, record: StreamRecord, partition: tuple[str, int]) -> Change | None:
        """A compacted topic may hold the tombstone of a deletion and no longer the deletion."""
        if record.key is None or self._deleted.get(partition) == record.key:
            return None
        last = self.places.get(partition)
        key = read_key(record.key)
        if last is None or key is None:
            raise UnreadableEventError("position is known", "a tombstone before any event of its partition")
        place = last.after()
        values = {name: value_of(value, self._typed(name, value, None)[0], name, None) for name, value in key.items()}
        position = place.position(self.epoch)
        return Change("d", position, place.event_at, record.origin, values, carried=tuple(values))

    def _typed(self, name: str, value: object, fields: Mapping[str, Field] | None) -> tuple[str, Field | None]:
        field = (fields or {}).get(name)
        kind = self.types.get(name) or (type_of_field(field) if field else type_of_value(value))
        return kind, field

    def _readable_key(self, text: str | None) -> str | None:
        try:
            return None if text is None else self._key_text(text)
        except UnreadableEventError:
            return None

    def _key_text(self, text: str) -> str:
        """A key as JSON text in the values' own types, so that Spark reads it back as the same key."""
        key = read_key(text) or {}
        values = {name: value_of(value, self._typed(name, value, None)[0], name, None) for name, value in key.items()}
        return json.dumps(values, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> object:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"a {type(value).__name__} cannot be in a key")
