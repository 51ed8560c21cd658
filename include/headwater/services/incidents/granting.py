"""The statement by which the owner of a source lets our login read one relation."""

from __future__ import annotations

from headwater.domain.lineage import SourcePlace
from headwater.services.incidents.source_sql import dialect_of, name_in
from headwater.services.lineage.places import parts_at

_ANY_HOST = "-- in the place of % the host of the login's account, as mysql.user has it"


def grant_statement(place: SourcePlace | None, relation: str, login: str) -> str:
    """In the SQL of the source's own kind of database.

    :param relation: ``schema.table`` or ``table``; the first dot ends the schema.
    :param place: what the source's connection leads to; None where nobody knows, which is told as PostgreSQL.
    """
    dialect, parts = dialect_of(place), parts_at(place, relation)
    if dialect == "mysql":
        account = f"{name_in(dialect, [login])}@`%`"
        return f"GRANT SELECT ON {name_in(dialect, parts)} TO {account};  {_ANY_HOST}"
    # Oracle keeps a login in capitals, unless it was made in quotes
    known = login.upper() if dialect == "oracle" and login == login.lower() else login
    to = name_in(dialect, [known])
    select = f"GRANT SELECT ON {name_in(dialect, parts)} TO {to};"
    if dialect == "postgres" and len(parts) > 1:
        return f"GRANT USAGE ON SCHEMA {name_in(dialect, parts[:1])} TO {to};\n{select}"
    return select


def exemption_statement(place: SourcePlace | None, login: str) -> str:
    """What lets a login see every row of a PostgreSQL, whatever its row-level security says."""
    return f"ALTER ROLE {name_in(dialect_of(place), [login])} BYPASSRLS;"
