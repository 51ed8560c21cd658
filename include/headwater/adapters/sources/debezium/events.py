"""What goes into the decoder and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Op = Literal["r", "c", "u", "d", "t"]


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record of a topic, as the consumer gives it; a tombstone has no value."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: str | None
    headers: Sequence[tuple[str, str]] = ()

    @property
    def origin(self) -> str:
        """Where the record was read, for people."""
        return f"{self.topic}/{self.partition}@{self.offset}"

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Change:
    """One bronze row; ``domain.schema.CHANGE_COLUMNS`` says what the marks mean.

    :param values: column -> value of the column's Iceberg type.
    """

    op: Op
    position: str
    event_at: datetime
    origin: str
    values: Mapping[str, object] = field(default_factory=dict)
    carried: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    old_key: str | None = None


@dataclass(frozen=True, slots=True)
class RejectedChange:
    """A record that no row can be made of; the quarantine holds the only copy (rule 40).

    :param key: the row's key as JSON text, where it can be read.
    """

    rule: str
    reason: str
    payload: str
    origin: str
    key: str | None = None
    position: str | None = None


class UnreadableEventError(ValueError):
    """Why a record cannot be read; becomes a ``RejectedChange`` and never leaves the decoder.

    :param rule: what is broken, in the words quarantine shows: ``type of price``.
    """

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
