"""What a connection to MySQL or MariaDB may say beside host, port, login, password and database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.domain.errors import ConnectionMalformedError
from headwater.ports.connections import ConnectionInfo

EXTRAS = ("ssl_mode", "ssl_ca", "ssl_cert", "ssl_key", "connect_timeout", "statement_timeout")
TLS_MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
DEFAULT_PORT = 3306
CONNECT_TIMEOUT_SECONDS = 10
STATEMENT_TIMEOUT_SECONDS = 4 * 60 * 60


@dataclass(frozen=True, slots=True)
class Options:
    """How the server is spoken to. Files of TLS are paths, empty where none is given."""

    host: str
    port: int
    tls_mode: str
    tls_files: dict[str, str]
    connect_timeout_seconds: int
    statement_timeout_seconds: int

    @classmethod
    def of(cls, connection: ConnectionInfo) -> Options:
        """:raises ConnectionMalformedError: for an extra that is not one of ``EXTRAS``, or has no such value."""
        extra = connection.extra
        unknown = sorted(set(extra) - set(EXTRAS))
        if unknown:
            raise _malformed(connection, "has an extra that is not understood", ", ".join(unknown), ", ".join(EXTRAS))
        mode = str(extra.get("ssl_mode", "preferred")).lower()
        if mode not in TLS_MODES:
            raise _malformed(connection, "has an `ssl_mode` that is none", mode, ", ".join(TLS_MODES))
        return cls(
            host=connection.host or "localhost",
            port=connection.port or DEFAULT_PORT,
            tls_mode=mode,
            tls_files={name: str(extra[name]) for name in ("ssl_ca", "ssl_cert", "ssl_key") if extra.get(name)},
            connect_timeout_seconds=_seconds(connection, "connect_timeout", CONNECT_TIMEOUT_SECONDS),
            statement_timeout_seconds=_seconds(connection, "statement_timeout", STATEMENT_TIMEOUT_SECONDS),
        )

    def tls_of_pymysql(self) -> dict[str, Any]:
        """As PyMySQL takes it; ``preferred`` is what it does by itself."""
        if self.tls_mode == "disabled":
            return {"ssl_disabled": True}
        verified = self.tls_mode.startswith("verify")
        if not self.tls_files and not verified:
            return {} if self.tls_mode == "preferred" else {"ssl": {"check_hostname": False, "verify_mode": False}}
        return {
            **self.tls_files,
            "ssl_verify_cert": verified,
            "ssl_verify_identity": self.tls_mode == "verify_identity",
        }


def _seconds(connection: ConnectionInfo, name: str, default: int) -> int:
    text = str(connection.extra.get(name, default))
    if not text.isdecimal() or not 0 < int(text) <= 31_536_000:
        raise _malformed(connection, f"has a `{name}` that is no number of seconds", text, "1 to 31536000")
    return int(text)


def _malformed(connection: ConnectionInfo, what: str, got: str, allowed: str) -> ConnectionMalformedError:
    return ConnectionMalformedError(
        f"connection {connection.id!r} {what}", got=got, allowed=allowed, facts={"connection": connection.id}
    )
