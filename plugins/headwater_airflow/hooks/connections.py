"""Airflow's connections as Headwater's (rule 42)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import SecretStr

from headwater.domain.errors import ConnectionMalformedError, ConnectionMissingError
from headwater.ports.connections import ConnectionInfo

if TYPE_CHECKING:
    from airflow.sdk import Connection


class AirflowConnections:
    """Resolves ids the way every Airflow operator does: secrets backend, environment, then Airflow's database."""

    def resolve(self, connection_id: str) -> ConnectionInfo:
        """The connection, its password redacted.

        :raises ConnectionMissingError: naming every place that was searched and how to create it.
        :raises ConnectionMalformedError: where Airflow made a connection of no type of its text.
        """
        try:
            connection = BaseHook.get_connection(connection_id)
        except AirflowNotFoundException as error:
            raise ConnectionMissingError(
                f"there is no connection {connection_id}",
                got="nothing in the secrets backend, the environment and Airflow's database",
                allowed="a connection of that id",
                remedy=f"Create it: `airflow connections add {connection_id} --conn-uri …`, the page Admin > "
                f"Connections, or the variable AIRFLOW_CONN_{connection_id.upper()}.",
                facts={"connection": connection_id},
            ) from error
        return _info(connection_id, connection)


def _info(connection_id: str, connection: Connection) -> ConnectionInfo:
    if not connection.conn_type:
        raise ConnectionMalformedError(
            f"connection {connection_id} has no type",
            got="a text that Airflow took for a URI",
            allowed="a URI such as postgres://user:password@host/database; or JSON, but not in a file of connections",
            remedy=f"Write {connection_id} as a URI where it is defined.",
            facts={"connection": connection_id},
        )
    return ConnectionInfo(
        id=connection_id,
        kind=connection.conn_type,
        host=connection.host or "",
        port=connection.port,
        login=connection.login or "",
        password=SecretStr(connection.password or ""),
        schema_=connection.schema or "",
        extra=dict(connection.extra_dejson),
    )
