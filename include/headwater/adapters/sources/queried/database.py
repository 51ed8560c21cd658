"""What a make of database has to answer, so that its relations are read like those of any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.ports.connections import ConnectionInfo

if TYPE_CHECKING:
    from headwater.adapters.sources.queried.hashing import Hashing

Relation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Clock:
    """What the server's clock says.

    :param utc: now, without a zone. :param local_offset: by how much the server's local time is ahead of UTC.
    :param oldest_seconds: age of its oldest transaction that may still write; None when there is none, or when the
        login may not know: then ``lag`` has to do.
    """

    utc: datetime
    local_offset: timedelta
    oldest_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """A relation that may be read. ``keys`` are its unique keys, the primary one under ``primary``."""

    relation: Relation
    columns: tuple[QueriedColumn, ...]
    primary: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    estimated_rows: int | None = None
    comment: str | None = None


class Session(Protocol):
    """An open session that only reads."""

    @property
    def told(self) -> str:
        """In one line, what server it is, and how rows of one read are those of one moment."""
        ...

    def all(self, query: str) -> list[tuple[Any, ...]]: ...
    def batches(self, query: str) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Rows of one statement, a batch at a time, within the statement time-out."""
        ...

    def one_moment(self) -> AbstractContextManager[None]:
        """A block in which every statement sees the same moment of the source."""
        ...

    def close(self) -> None: ...


class Database(Protocol):
    """A make of database, over one connection."""

    @property
    def connection(self) -> ConnectionInfo: ...
    @property
    def default_schema(self) -> str: ...
    def connect(self) -> Session: ...
    def explained(self, facts: Mapping[str, str]) -> AbstractContextManager[None]:
        """Turn the driver's errors about one relation into explained ones, without the password and without a chain."""
        ...

    def folded(self, name: str) -> str:
        """The name that an unquoted one stands for."""
        ...

    def quoted(self, name: str) -> str: ...
    def value(self, column: QueriedColumn, text: str) -> str:
        """SQL of a cursor value from its text, in the column's own type, so that an index can answer."""
        ...

    def equal(self, column: QueriedColumn, text: str) -> str:
        """SQL condition for the values with this canonical text, and few others, that an index may answer."""
        ...

    def hashing(self, session: Session) -> Hashing | None:
        """How this server hashes rows; None where it cannot hash what the lake does.

        :raises RequestError: when no comparison is to be made: writers would have to wait for it.
        """
        ...

    def tomorrow(self, column: QueriedColumn) -> str:
        """SQL of the instant a day from now, comparable with the column."""
        ...

    def settled(self, column: QueriedColumn) -> str | None:
        """SQL condition for versions below every open transaction; None for columns that are not ``counts``."""
        ...

    def first_day(self, column: QueriedColumn) -> str:
        """SQL of the first day of the year 1, comparable with the column."""
        ...

    def probe(self, relation: Relation) -> str:
        """A query that fails exactly when the relation may not be read."""
        ...

    def clock(self, session: Session) -> Clock: ...
    def names(self, session: Session) -> list[Relation]: ...
    def columns(self, session: Session, relation: Relation) -> tuple[QueriedColumn, ...]:
        """Columns in order, hidden and computed ones included; none when the relation cannot be seen."""
        ...

    def primary_key(self, session: Session, relation: Relation) -> tuple[str, ...]: ...
    def offers(self, session: Session) -> Iterator[Offered]: ...
