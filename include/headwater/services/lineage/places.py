"""What a connection leads to, and what its relations are called there."""

from __future__ import annotations

from headwater.domain.errors import ConnectionMissingError, CredentialsError, SourceUnreachableError
from headwater.domain.lineage import SourcePlace
from headwater.ports.connections import ConnectionInfo, Connections

_PLATFORMS = {
    "postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb", "sqlite": "sqlite",
    "mssql": "mssql", "sqlserver": "mssql", "oracle": "oracle",
}  # fmt: skip
"""Data platform by kind of connection."""
_WITHOUT_SCHEMAS = ("mysql", "mariadb")
"""Platforms whose databases hold tables, and no schemas."""


def place_of(connection: ConnectionInfo) -> SourcePlace | None:
    """What a connection to a database leads to; None for a landing folder."""
    platform = _PLATFORMS.get(connection.kind)
    if platform is None:
        return None
    if platform == "sqlite":
        path = str(connection.extra.get("path", "")) or connection.host or connection.schema_
        return SourcePlace(platform=platform, database=path.rsplit("/", 1)[-1] or None)
    schemas = {"postgres": "public", "mssql": "dbo", "oracle": connection.schema_ or connection.login}
    return SourcePlace(
        platform=platform, database=connection.schema_ or None, schema_name=schemas.get(platform) or None
    )


def known_places(connections: Connections, ids: frozenset[str]) -> dict[str, SourcePlace]:
    """The places of those connections that can be resolved here; others are left out."""
    found = {}
    for name in sorted(ids):
        try:
            place = place_of(connections.resolve(name))
        except (ConnectionMissingError, CredentialsError, SourceUnreachableError):
            continue
        if place is not None:
            found[name] = place
    return found


def relation_at(place: SourcePlace | None, named: str) -> str:
    """A relation as people of its database write it; as the YAML names it where nobody knows the database.

    :param named: ``schema.table`` or ``table``, as in the YAML.
    """
    parts = parts_at(place, named)
    if place is not None and place.platform == "sqlite" and place.database:
        return f"{place.database}/{parts[-1]}"
    return ".".join(parts)


def parts_at(place: SourcePlace | None, named: str) -> tuple[str, ...]:
    """Schema (of MySQL database) and name of a relation, or the name alone."""
    if place is None:
        return tuple(named.split(".", 1))
    if place.platform == "sqlite":
        return (named.removeprefix("main."),)
    schema = _holder(place)
    parts = tuple(named.split(".", 1)) if "." in named or schema is None else (schema, named)
    return tuple(_folded(part) for part in parts) if place.platform == "oracle" else parts


def _holder(place: SourcePlace) -> str | None:
    return place.database if place.platform in _WITHOUT_SCHEMAS else place.schema_name


def _folded(name: str) -> str:
    """In capitals, as Oracle's SQL; a name with a capital in it is meant as it is."""
    return name.upper() if name == name.lower() else name
