"""A read-only session over one database file, and its errors explained."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from headwater.adapters.sources.sqlite.instants import instant
from headwater.domain.errors import (
    ConnectionMalformedError,
    CredentialsError,
    HeadwaterError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
)
from headwater.ports.connections import ConnectionInfo

BUSY_SECONDS = 30
"""How long a read waits for a writer that holds the file."""


def database_of(connection: ConnectionInfo) -> Path:
    """The file a connection names, in its host as Airflow does, or as ``path`` in its extra.

    :raises ConnectionMalformedError: when it names no absolute path.
    """
    text = str(connection.extra.get("path", "")) or connection.host or f"/{connection.schema_}"
    path, unknown = Path(text), sorted(set(connection.extra) - {"path"})
    if unknown:
        raise ConnectionMalformedError(
            f"connection {connection.id!r} has unknown keys in its extra: {', '.join(unknown)}",
            got=", ".join(unknown),
            allowed="path",
            facts={"connection": connection.id},
        )
    if not path.is_absolute() or path == Path("/"):
        raise ConnectionMalformedError(
            f"connection {connection.id!r} names no database file",
            got=repr(text),
            allowed='an absolute path, as in {"conn_type": "sqlite", "host": "/data/flights.db"}',
            facts={"connection": connection.id},
        )
    return path


def connect(connection: ConnectionInfo) -> sqlite3.Connection:
    """A session that cannot write. Texts that are no UTF-8 keep their bytes as lone surrogates.

    :raises SourceUnreachableError: when there is no such file.
    """
    path = database_of(connection)
    if not path.is_file():
        raise SourceUnreachableError(
            f"the database file of connection {connection.id!r} does not exist",
            got=str(path),
            remedy="Check that the disk is mounted and that the connection names the right file.",
            facts={"connection": connection.id},
        )
    with explained(connection, {"connection": connection.id, "relation": str(path)}):
        session = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None,
            check_same_thread=False,
        )  # fmt: skip
        session.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
        session.create_function("hw_instant", 1, instant, deterministic=True)
        session.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return session


@contextmanager
def explained(connection: ConnectionInfo, facts: dict[str, str]) -> Iterator[None]:
    """Turn the library's errors into explained ones."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(error, connection, facts) from error


def _explain(error: sqlite3.Error, connection: ConnectionInfo, facts: dict[str, str]) -> HeadwaterError:
    text, where = str(error), facts["relation"]
    if "no such table" in text or "no such column" in text:
        return SourceTableMissingError(f"{where} is not there as it was planned", got=text, facts=facts)
    if "locked" in text or "busy" in text:
        return SourceUnreachableError(
            f"{where} is locked by a writer for more than {BUSY_SECONDS} s",
            got=text,
            remedy="Try again when the writer is done; `PRAGMA journal_mode = WAL` at the source lets both work.",
            facts=facts,
        )
    if "not a database" in text or "malformed" in text:
        return SourceDataError(
            f"the file of connection {connection.id!r} is no sound SQLite database",
            got=text,
            remedy="Run `PRAGMA integrity_check` on it, and restore it from a backup.",
            facts=facts,
        )
    if "unable to open" in text or "permission" in text.lower():
        return CredentialsError(
            f"the database file of connection {connection.id!r} cannot be opened",
            got=text,
            remedy="Give the user that Headwater runs as permission to read the file and, in WAL mode, its folder.",
            facts=facts,
        )
    return SourceUnreachableError(f"reading {where} was interrupted", got=text, facts=facts)
