"""The envelope of an event: what JsonConverter writes, with ``schemas.enable`` and without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headwater.adapters.sources.debezium.events import StreamRecord, UnreadableEventError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A column as the event's schema describes it."""

    name: str
    type: str
    semantic: str = ""
    parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event. ``fields`` is None when the stream carries no schemas."""

    op: str
    before: Json | None
    after: Json | None
    source: Json
    key: Json | None
    total_order: int | None
    fields: Mapping[str, Field] | None


def read_envelope(record: StreamRecord) -> Envelope:
    """The event of a record that is no tombstone.

    :raises UnreadableEventError: when the value is no event.
    """
    document = _object(record.value, "the value")
    typed = set(document) == {"schema", "payload"}
    event = document["payload"] if typed else document
    if not isinstance(event, dict) or "op" not in event or not isinstance(event.get("source"), dict):
        raise UnreadableEventError("event is readable", "the value is no change event: op or source is missing")
    transaction = event.get("transaction")
    return Envelope(
        op=str(event["op"]),
        before=event.get("before"),
        after=event.get("after"),
        source=event["source"],
        key=read_key(record.key),
        total_order=transaction.get("total_order") if isinstance(transaction, dict) else None,
        fields=_row_fields(document["schema"]) if typed else None,
    )


def read_key(text: str | None) -> Json | None:
    """The key's columns; None for a table without a key.

    :raises UnreadableEventError: when the text is no JSON object.
    """
    if text is None:
        return None
    document = _object(text, "the key")
    payload = document["payload"] if set(document) == {"schema", "payload"} else document
    return payload if isinstance(payload, dict) else None


def _object(text: str | None, what: str) -> Json:
    try:
        document = json.loads(text or "null")
    except json.JSONDecodeError as error:
        raise UnreadableEventError("event is readable", f"{what} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise UnreadableEventError("event is readable", f"{what} is no JSON object")
    return document


def _row_fields(schema: Json) -> dict[str, Field]:
    row: Json = next((part for part in schema.get("fields", ()) if part.get("field") == "after"), {})
    return {
        part["field"]: Field(part["field"], part["type"], part.get("name", ""), part.get("parameters"))
        for part in row.get("fields", ())
    }
