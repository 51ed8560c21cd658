"""What a make of database has to say in its SQL, so that it hashes rows as the lake does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.database import Database
from headwater.domain.canonical_text import is_textual


class Hashing(Protocol):
    """The canonical text of values (``headwater.domain.canonical_text``) and the md5 of it, written by a server."""

    def text(self, column: QueriedColumn, value: str) -> str | None:
        """SQL of the value's text; NULL stays NULL. None for types that the server cannot be trusted to hash."""
        ...

    def piece(self, text: str, *, textual: bool) -> str:
        """A text as it stands in a row's: with its length or the separator, NULL told apart."""
        ...

    def digest(self, pieces: Sequence[str]) -> str:
        """md5 over the UTF-8 of the pieces, as bytes."""
        ...

    def shown(self, digest: str) -> str:
        """It in hexadecimal digits, lower case."""
        ...

    def number(self, digest: str, first: int) -> str:
        """Four bytes of it, from the first counted from 0, as a number of 32 bits without a sign."""
        ...

    def shifted(self, number: str, places: int) -> str:
        """A number without sign, shifted right."""
        ...

    def fits(self, columns: Sequence[QueriedColumn]) -> str | None:
        """A condition, true or false, for rows of a relation ``t`` short enough to be hashed; None: all are."""
        ...


def hashed(columns: Sequence[QueriedColumn], database: Database, hashing: Hashing, *, as_null: bool) -> str:
    """SQL of the md5 over the columns' texts.

    :param as_null: values that no type holds are NULL.
    :raises TypeError: for a column that the server does not hash: look before, by ``hashes``.
    """
    pieces = []
    for column in columns:
        text = _text(column, database, hashing)
        if text is None:
            raise TypeError(f"{column.name} of type {column.source_type} is not hashed by its server")
        if as_null and column.beyond:
            text = f"CASE WHEN {column.beyond.format(_name(column, database))} THEN NULL ELSE {text} END"
        pieces.append(hashing.piece(text, textual=is_textual(column.type)))
    return hashing.digest(pieces)


def hashes(columns: Sequence[QueriedColumn], database: Database, hashing: Hashing) -> bool:
    """Whether the server hashes every one of the columns."""
    return all(_text(column, database, hashing) is not None for column in columns)


def _text(column: QueriedColumn, database: Database, hashing: Hashing) -> str | None:
    return hashing.text(column, _name(column, database))


def _name(column: QueriedColumn, database: Database) -> str:
    return f"t.{database.quoted(column.name)}"
