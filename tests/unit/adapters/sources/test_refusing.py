"""The drivers' own errors, by the numbers of the servers: which failure each is. No password is told."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import oracledb
import psycopg
import pymssql
import pymysql
import pytest
from pydantic import SecretStr
from tests.unit.adapters.sources.queried.recorded import ORACLE, SQLSERVER

from headwater.adapters.sources.mysql import session as mysql
from headwater.adapters.sources.oracle import session as oracle
from headwater.adapters.sources.oracle.options import Options as OracleOptions
from headwater.adapters.sources.postgres import session as postgres
from headwater.adapters.sources.refusing import check_time, refusal
from headwater.adapters.sources.sqlserver import session as sqlserver
from headwater.adapters.sources.sqlserver.options import Options as SqlServerOptions
from headwater.domain.errors import (
    ConnectionMalformedError,
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SchemaDriftError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
)

SECRET = "s3cret!"
ERP = SQLSERVER.model_copy(update={"password": SecretStr(SECRET)})
HR = ORACLE.model_copy(update={"password": SecretStr(SECRET)})
FACTS = {"table": "orders", "relation": "dbo.orders"}


def ora(code: str) -> oracledb.DatabaseError:
    """As the driver makes one: its only argument tells code and message."""
    return oracledb.DatabaseError(SimpleNamespace(full_code=code, message=f"{code}: refused {SECRET}\nHelp: …"))


@pytest.mark.parametrize(
    ("number", "failure"),
    [
        (229, NotPermittedError),
        (208, SourceTableMissingError),
        (4060, SourceTableMissingError),
        (207, SchemaDriftError),
        (8115, SourceDataError),
        (1222, SourceUnreachableError),
        (20003, SourceUnreachableError),
        (3960, SourceUnreachableError),
        (99999, SourceUnreachableError),
    ],
)
def test_sqlserver_errors_while_reading(number: int, failure: type[HeadwaterError]) -> None:
    message = f"said of {SECRET}\nDB-Lib error message 20018, severity 16:\nGeneral SQL Server error".encode()
    with pytest.raises(failure) as caught, sqlserver.explained(ERP, FACTS):
        raise pymssql.ProgrammingError((number, message))
    assert caught.value.got == f"said of *** ({number})"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("ORA-01031", NotPermittedError),
        ("ORA-00942", SourceTableMissingError),
        ("ORA-00904", SchemaDriftError),
        ("ORA-01722", SourceDataError),
        ("ORA-01555", SourceUnreachableError),
        ("DPY-4024", SourceUnreachableError),
        ("ORA-00600", SourceUnreachableError),
    ],
)
def test_oracle_errors_while_reading(code: str, failure: type[HeadwaterError]) -> None:
    with pytest.raises(failure) as caught, oracle.explained(HR, FACTS):
        raise ora(code)
    assert caught.value.got == f"{code}: refused ***"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("number", "failure", "remedy"),
    [
        (1142, NotPermittedError, "Let the owner"),
        (1146, SourceTableMissingError, ""),
        (1054, SchemaDriftError, ""),
        (1690, SourceDataError, ""),
        (1205, SourceUnreachableError, "holds the relation locked"),
        (3024, SourceUnreachableError, "statement_timeout"),
        (2013, SourceUnreachableError, "again when it is retried"),
    ],
)
def test_mysql_errors_while_reading(number: int, failure: type[HeadwaterError], remedy: str) -> None:
    with pytest.raises(failure) as caught, mysql.explained(ERP, FACTS):
        raise pymysql.OperationalError(number, f"said of {SECRET}\nin two lines")
    assert caught.value.got == f"said of *** ({number})"
    assert remedy in (caught.value.remedy or "")
    assert caught.value.facts.items() >= {**FACTS, "connection": ERP.id}.items()
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (psycopg.errors.InsufficientPrivilege, NotPermittedError),
        (psycopg.errors.UndefinedTable, SourceTableMissingError),
        (psycopg.errors.InvalidSchemaName, SourceTableMissingError),
        (psycopg.errors.UndefinedColumn, SchemaDriftError),
        (psycopg.errors.DivisionByZero, SourceDataError),
        (psycopg.DataError, SourceDataError),
        (psycopg.errors.AdminShutdown, SourceUnreachableError),
        (psycopg.OperationalError, SourceUnreachableError),
    ],
)
def test_postgres_errors_while_reading(error: type[psycopg.Error], failure: type[HeadwaterError]) -> None:
    with pytest.raises(failure) as caught, postgres.explained(ERP, "orders", "dbo.orders"):
        raise error(f"said of {SECRET}\nin two lines")
    assert type(caught.value) is failure
    assert caught.value.got == "said of ***"
    assert caught.value.facts.items() >= {**FACTS, "connection": ERP.id}.items()
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("number", [18456, 18452])
def test_sqlserver_refuses_a_login(number: int) -> None:
    assert isinstance(refusal(sqlserver.CODES, number, "Login failed", ERP), CredentialsError)


@pytest.mark.parametrize(
    ("code", "failure"),
    [("ORA-01017", CredentialsError), ("ORA-28000", CredentialsError), ("ORA-12514", SourceUnreachableError)],
)
def test_oracle_refuses_a_login(code: str, failure: type[HeadwaterError]) -> None:
    assert isinstance(refusal(oracle.CODES, code, "refused", HR), failure)


def test_both_forms_of_the_drivers_arguments_are_read() -> None:
    assert sqlserver.told(pymssql.OperationalError(18456, b"Login failed"), ERP) == (18456, "Login failed (18456)")
    assert sqlserver.told(pymssql.OperationalError((18456, b"Login failed")), ERP) == (18456, "Login failed (18456)")


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_server_that_is_gone_is_told_by_each_driver_without_the_password() -> None:
    for connect, connection in ((sqlserver.connect, ERP), (oracle.connect, HR)):
        here = connection.model_copy(update={"host": "127.0.0.1", "port": unused_port()})
        with pytest.raises(SourceUnreachableError, match="could not be reached") as caught:
            connect(here)
        assert SECRET not in str(caught.value)


def test_the_mildest_isolation_that_gives_one_moment_is_taken() -> None:
    assert sqlserver.isolation_of(1, True) == "SNAPSHOT"
    assert sqlserver.isolation_of(0, True) == "READ COMMITTED"
    assert sqlserver.isolation_of(2, False) == "SERIALIZABLE"
    assert "writers wait" in sqlserver.SqlServerSession(None, 1, "16", "SERIALIZABLE").told


def test_a_statement_may_not_take_longer_than_it_may() -> None:
    with pytest.raises(SourceUnreachableError, match="time-out"):
        check_time(started=-1e9, limit_seconds=14_400)


def test_extras_are_checked() -> None:
    for options, connection, extra in (
        (SqlServerOptions, ERP, {"encrypt": "yes"}),
        (SqlServerOptions, ERP, {"encryption": "maybe"}),
        (SqlServerOptions, ERP, {"statement_timeout": "soon"}),
        (OracleOptions, HR, {}),
        (OracleOptions, HR, {"service_name": "a", "sid": "b"}),
        (OracleOptions, HR, {"sid": "a", "protocol": "udp"}),
    ):
        with pytest.raises(ConnectionMalformedError):
            options.of(connection.model_copy(update={"extra": extra}))


def test_defaults_of_both() -> None:
    assert (SqlServerOptions.of(ERP).port, SqlServerOptions.of(ERP).encryption) == (1433, "require")
    assert (OracleOptions.of(HR).port, OracleOptions.of(HR).place) == (1521, {"service_name": "hr"})


def test_large_values_of_oracle_come_with_their_rows() -> None:
    asked: list[object] = []
    cursor = SimpleNamespace(arraysize=7, var=lambda kind, arraysize: asked.append((kind, arraysize)))
    for kind in (oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_BLOB, oracledb.DB_TYPE_VARCHAR):
        oracle.whole_values(cursor, SimpleNamespace(type_code=kind))
    assert asked == [(oracledb.DB_TYPE_LONG, 7), (oracledb.DB_TYPE_LONG_RAW, 7)]
