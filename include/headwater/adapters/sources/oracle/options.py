"""What a connection to Oracle may say beside host, port, login, password and schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.adapters.sources.queried.extras import (
    CONNECT_TIMEOUT_SECONDS,
    STATEMENT_TIMEOUT_SECONDS,
    check_extras,
    choice,
    malformed,
    seconds,
)
from headwater.ports.connections import ConnectionInfo

EXTRAS = ("service_name", "sid", "protocol", "wallet_location", "connect_timeout", "statement_timeout")
PROTOCOLS = ("tcp", "tcps")
DEFAULT_PORTS = {"tcp": 1521, "tcps": 2484}


@dataclass(frozen=True, slots=True)
class Options:
    """How the server is spoken to. ``place`` is its service, or its sid."""

    host: str
    port: int
    protocol: str
    place: dict[str, str]
    wallet_location: str | None
    connect_timeout_seconds: int
    statement_timeout_seconds: int

    @classmethod
    def of(cls, connection: ConnectionInfo) -> Options:
        """:raises ConnectionMalformedError: for an extra that is not one of ``EXTRAS``, or has no such value."""
        check_extras(connection, EXTRAS)
        place = {name: str(connection.extra[name]) for name in ("service_name", "sid") if connection.extra.get(name)}
        if len(place) != 1:
            got = ", ".join(place) or "neither"
            raise malformed(connection, "has to say which database it means", got, "one of service_name, sid")
        protocol = choice(connection, "protocol", PROTOCOLS)
        wallet = connection.extra.get("wallet_location")
        return cls(
            host=connection.host or "localhost",
            port=connection.port or DEFAULT_PORTS[protocol],
            protocol=protocol,
            place=place,
            wallet_location=None if wallet is None else str(wallet),
            connect_timeout_seconds=seconds(connection, "connect_timeout", CONNECT_TIMEOUT_SECONDS),
            statement_timeout_seconds=seconds(connection, "statement_timeout", STATEMENT_TIMEOUT_SECONDS),
        )

    def of_driver(self) -> dict[str, Any]:
        """As python-oracledb takes them. With ``tcps`` it holds the server's certificate against its name."""
        wallet = {} if self.wallet_location is None else {"wallet_location": self.wallet_location}
        return {
            "host": self.host,
            "port": self.port,
            "protocol": self.protocol,
            "tcp_connect_timeout": float(self.connect_timeout_seconds),
            **self.place,
            **wallet,
        }
