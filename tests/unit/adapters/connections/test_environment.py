"""Connections are read exactly as Airflow reads them, and never quote their secret (rule 42)."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.connections import EnvironmentConnections
from headwater.domain.errors import ConnectionMalformedError, ConnectionMissingError
from headwater.ports.connections import ConnectionInfo

SECRET = "s3cr3t-Zq"


def resolve(text: str) -> ConnectionInfo:
    return EnvironmentConnections(None, {"AIRFLOW_CONN_FLIGHTS_DB": text}).resolve("flights_db")


def test_uri_parts_are_percent_decoded() -> None:
    info = resolve("postgresql://a%40b:p%2Fw%3A%25@db.example.com:5433/fl%20ights?sslmode=require")
    assert (info.kind, info.login, info.password.get_secret_value()) == ("postgres", "a@b", "p/w:%")
    assert (info.host, info.port, info.schema_) == ("db.example.com", 5433, "fl ights")
    assert info.extra == {"sslmode": "require"}


def test_json_form_is_read_with_extra_as_object_or_text() -> None:
    fields = {"conn_type": "fs", "extra": {"path": "/data/in"}}
    assert resolve(json.dumps(fields)).extra == {"path": "/data/in"}
    assert resolve(json.dumps(fields | {"extra": '{"path": "/data/in"}'})).extra == {"path": "/data/in"}


@pytest.mark.parametrize(
    "uri",
    [
        "postgres://u:p@h:5432/d",
        "postgresql://u@h/d?sslmode=disable&connect_timeout=3",
        "headwater-landing://?path=%2Fdata%2Fin",
        "fs:///?path=%2Fdata%2Fin",
        "http://https://api.example.com:8080/v1",
        "postgres://:p%40@%2Fvar%2Frun%2FPG/d",
        "postgres:///?__extra__=%7B%22a%22%3A+%7B%22b%22%3A+1%7D%7D",
    ],
)
def test_uri_means_what_it_means_to_airflow(uri: str) -> None:
    from airflow.sdk.definitions.connection import Connection

    theirs, ours = Connection.from_uri(uri, "flights_db"), resolve(uri)
    assert ours.kind == theirs.conn_type
    assert ours.host == (theirs.host or "")
    assert ours.port == theirs.port
    assert ours.login == (theirs.login or "")
    assert ours.password.get_secret_value() == (theirs.password or "")
    assert ours.schema_ == (theirs.schema or "")
    assert ours.extra == json.loads(theirs.extra or "{}")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_every_password_survives_percent_encoding(password: str) -> None:
    info = resolve(f"postgres://u:{quote(password, safe='')}@h/d")
    assert info.password.get_secret_value() == password
    assert info.host == "h"


def test_missing_connection_names_every_place_and_the_command(tmp_path: Path) -> None:
    file = tmp_path / "connections.env"
    with pytest.raises(ConnectionMissingError) as caught:
        EnvironmentConnections(file, {}).resolve("flights_db")
    assert not isinstance(caught.value, ConnectionMalformedError)
    assert "variable AIRFLOW_CONN_FLIGHTS_DB" in caught.value.facts["searched"]
    assert f"{file} (does not exist)" in caught.value.facts["searched"]
    assert caught.value.remedy is not None
    assert f">> {file}" in caught.value.remedy


def test_variable_wins_over_file_and_comments_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "connections.env"
    file.write_text('# ours\n\nflights_db=postgres://h1/d\nlanding={"conn_type": "fs", "extra": {"path": "/x=y"}}\n')
    both = EnvironmentConnections(file, {"AIRFLOW_CONN_FLIGHTS_DB": "postgres://h2/d"})
    assert both.resolve("flights_db").host == "h2"
    assert both.resolve("landing").extra == {"path": "/x=y"}
    assert EnvironmentConnections(file, {}).resolve("flights_db").host == "h1"


def test_connection_defined_twice_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "connections.env"
    file.write_text("a=postgres://h1/d\na=postgres://h2/d\n")
    with pytest.raises(ConnectionMalformedError, match="lines 1, 2"):
        EnvironmentConnections(file, {}).resolve("a")


@pytest.mark.parametrize(
    "text",
    [
        f"u:{SECRET}@host/db",
        f"postgres://u:{SECRET}/x@host:port/db",
        f"postgres://u:{SECRET}@x@host/db",
        f"postgres://u:{SECRET}#x@host/db",
        f"postgres://u:{SECRET}@[host/db",
        f"postgres://u:{SECRET}://x@host/db",
        '{"conn_type": "postgres", "password": "' + SECRET,
        '{"conn_type": "postgres", "passwort": "' + SECRET + '"}',
        '{"conn_type": "postgres", "password": "' + SECRET + '", "port": "x"}',
        '{"conn_type": "postgres", "password": "' + SECRET + '", "extra": [1]}',
    ],
)
def test_malformed_text_is_its_own_error_and_never_quoted(text: str) -> None:
    with pytest.raises(ConnectionMalformedError) as caught:
        resolve(text)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!s}{error!r}"
        error = error.__cause__ or error.__context__


def test_resolved_connection_does_not_show_its_password() -> None:
    info = resolve(f"postgres://u:{SECRET}@h/d")
    assert SECRET not in f"{info!r}{info!s}{info.model_dump_json()}"
