"""Which relations of a connection are meant where nobody says it."""

from __future__ import annotations

from headwater.adapters.sources.files.locations import FILE_KINDS
from headwater.adapters.sources.opening import MYSQL_KINDS, ORACLE_KINDS, POSTGRES_KINDS, SQLITE_KIND, SQLSERVER_KINDS
from headwater.domain.errors import RequestError
from headwater.ports.connections import ConnectionInfo


def usual_schema(connection: ConnectionInfo) -> str:
    """The schema that is read where none is named; of files the word before the names of their groups.

    :raises RequestError: for a connection that offers no relations.
    """
    usual = dict.fromkeys(POSTGRES_KINDS, "public") | dict.fromkeys(MYSQL_KINDS, connection.schema_)
    usual |= dict.fromkeys(SQLSERVER_KINDS, "dbo") | dict.fromkeys(ORACLE_KINDS, connection.login.upper())
    usual |= {SQLITE_KIND: "main"} | dict.fromkeys(FILE_KINDS, "files")
    if connection.kind not in usual:
        raise RequestError(
            "Only a database or a landing folder tells its tables.",
            got=f"connection {connection.id} of type {connection.kind}",
            allowed=f"a connection of type {', '.join(usual)}",
            remedy="Write the YAML by hand: docs/guides/add-a-source.md.",
        )
    return usual[connection.kind]
