"""What a connection to SQL Server may say beside host, port, login, password and database."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.adapters.sources.queried.extras import (
    CONNECT_TIMEOUT_SECONDS,
    STATEMENT_TIMEOUT_SECONDS,
    check_extras,
    choice,
    seconds,
)
from headwater.ports.connections import ConnectionInfo

EXTRAS = ("encryption", "connect_timeout", "statement_timeout")
ENCRYPTIONS = ("require", "request", "off")
DEFAULT_PORT = 1433


@dataclass(frozen=True, slots=True)
class Options:
    """How the server is spoken to. ``encryption`` is one of ``ENCRYPTIONS``, ``require`` by default."""

    host: str
    port: int
    encryption: str
    connect_timeout_seconds: int
    statement_timeout_seconds: int

    @classmethod
    def of(cls, connection: ConnectionInfo) -> Options:
        """:raises ConnectionMalformedError: for an extra that is not one of ``EXTRAS``, or has no such value."""
        check_extras(connection, EXTRAS)
        return cls(
            host=connection.host or "localhost",
            port=connection.port or DEFAULT_PORT,
            encryption=choice(connection, "encryption", ENCRYPTIONS),
            connect_timeout_seconds=seconds(connection, "connect_timeout", CONNECT_TIMEOUT_SECONDS),
            statement_timeout_seconds=seconds(connection, "statement_timeout", STATEMENT_TIMEOUT_SECONDS),
        )
