"""Connections by id; secrets stay redacted until the moment of use (rule 42)."""

from __future__ import annotations

from typing import Protocol

from pydantic import Field, SecretStr

from headwater.domain.base import Value


class ConnectionInfo(Value):
    """A resolved connection, in Airflow's terms. ``schema_`` is the database of an SQL connection."""

    id: str
    kind: str
    host: str = ""
    port: int | None = None
    login: str = ""
    password: SecretStr = SecretStr("")
    schema_: str = ""
    extra: dict[str, object] = Field(default_factory=dict, repr=False)


class Connections(Protocol):
    def resolve(self, connection_id: str) -> ConnectionInfo:
        """The connection of that id.

        :raises ConnectionMissingError: naming every place that was searched and how to create it.
        """
        ...
