"""What a connection may say in its extra, read once and checked."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.domain.errors import ConnectionMalformedError
from headwater.ports.connections import ConnectionInfo

CONNECT_TIMEOUT_SECONDS = 10
STATEMENT_TIMEOUT_SECONDS = 4 * 60 * 60


def check_extras(connection: ConnectionInfo, known: Sequence[str]) -> None:
    """:raises ConnectionMalformedError: for an extra that is not one of ``known``."""
    unknown = sorted(set(connection.extra) - set(known))
    if unknown:
        raise malformed(connection, "has an extra that is not understood", ", ".join(unknown), ", ".join(known))


def seconds(connection: ConnectionInfo, name: str, default: int) -> int:
    """:raises ConnectionMalformedError: for what is no number of seconds."""
    text = str(connection.extra.get(name, default))
    if not text.isdecimal() or not 0 < int(text) <= 2_000_000:
        raise malformed(connection, f"has a `{name}` that is no number of seconds", text, "1 to 2000000")
    return int(text)


def choice(connection: ConnectionInfo, name: str, allowed: Sequence[str]) -> str:
    """One of the words allowed; the first where none is given.

    :raises ConnectionMalformedError: for another one.
    """
    word = str(connection.extra.get(name, allowed[0])).lower()
    if word not in allowed:
        raise malformed(connection, f"has an unknown `{name}`", word, ", ".join(allowed))
    return word


def malformed(connection: ConnectionInfo, what: str, got: str, allowed: str) -> ConnectionMalformedError:
    return ConnectionMalformedError(
        f"connection {connection.id!r} {what}", got=got, allowed=allowed, facts={"connection": connection.id}
    )


def no_driver(connection: ConnectionInfo, driver: str, extra: str) -> ConnectionMalformedError:
    """The driver is a part of the product that is not installed with every other."""
    return ConnectionMalformedError(
        f"connection {connection.id!r} of type {connection.kind!r} needs the driver {driver}, which is not installed",
        got=f"no module {driver}",
        allowed=f"headwater[{extra}]",
        remedy=f"Install the product with it: `pip install 'headwater[{extra}]'`, or `uv sync --extra {extra}`.",
        facts={"connection": connection.id},
    )
