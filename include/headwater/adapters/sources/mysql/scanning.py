"""The source seen from DuckDB: one query in the source's own SQL, streamed."""

from __future__ import annotations

from importlib.resources import files as package_files
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.mysql.options import Options
from headwater.adapters.sources.mysql.session import LOCK_WAIT_SECONDS, Session
from headwater.ports.connections import ConnectionInfo

if TYPE_CHECKING:
    import duckdb

_SETTINGS = {
    "mysql_session_time_zone": "'+00:00'",
    "mysql_tinyint1_as_boolean": "false",
    "mysql_bit1_as_boolean": "false",
    "mysql_pool_enable_reaper_thread": "false",
}
STALL_SECONDS = 600
"""How long the server may wait for us to take rows: a disk may be slower than its default of a minute."""


def attach(engine: duckdb.DuckDBPyConnection, connection: ConnectionInfo) -> None:
    """Make the server known as ``source``. What DuckDB says of a failure holds no credentials: they are in a secret.

    Compression is off: it costs the server three times what the rows do.
    """
    options = Options.of(connection)
    extension = package_files("duckdb_extension_mysql_scanner") / "extensions" / f"v{_version(engine)}"
    engine.execute(f"LOAD {literal(str(extension / 'mysql_scanner.duckdb_extension'))}")
    for name, value in _SETTINGS.items():
        engine.execute(f"SET {name} = {value}")
    # the client library would look for a socket file
    host = "127.0.0.1" if options.host == "localhost" else options.host
    values = {"HOST": host, "USER": connection.login, "PASSWORD": connection.password.get_secret_value()}
    values |= {"DATABASE": connection.schema_, "SSL_MODE": options.tls_mode}
    values |= {name.upper(): path for name, path in options.tls_files.items()}
    values = {name: value for name, value in values.items() if value}
    # as parameters: no statement that an error could quote holds the password
    names = ", ".join(f"{name} ?" for name in values)
    engine.execute(f"CREATE TEMPORARY SECRET of_source (TYPE mysql, PORT {options.port}, {names})", [*values.values()])
    engine.execute("ATTACH 'compression=disabled' AS source (TYPE mysql, SECRET of_source, READ_ONLY)")


def query(select: str, session: Session, connection: ConnectionInfo) -> str:
    """A SELECT in the source's SQL as a relation of DuckDB's, in the mode and with the limits of our own session.

    One statement sees one moment of the source: InnoDB reads all of it from one view.
    """
    seconds = Options.of(connection).statement_timeout_seconds
    if session.is_mariadb:
        mode = (
            f"sql_mode = '', lock_wait_timeout = {LOCK_WAIT_SECONDS}, net_write_timeout = {STALL_SECONDS}, "
            f"max_statement_time = {seconds}"
        )
        return f"mysql_query('source', {literal(f'SET STATEMENT {mode} FOR {select}')})"
    hints = f"/*+ MAX_EXECUTION_TIME({seconds * 1000}) SET_VAR(sql_mode = '') */"
    return f"mysql_query('source', {literal(select.replace('SELECT', f'SELECT {hints}', 1))})"


def _version(engine: duckdb.DuckDBPyConnection) -> str:
    row = engine.execute("SELECT library_version FROM pragma_version()").fetchone()
    return str(row[0]).removeprefix("v") if row else ""
