"""Text of any encoding arrives as the same characters; bytes that are no text are named, never changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.integration.sources.sources_under_test import Source, connection_of, rows_of, sql_table

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.domain.errors import SourceDataError

Encoded = Callable[[str], Source]


@pytest.fixture
def encoded(postgres_server: EmbeddedPostgres, tmp_path: Path) -> Encoded:
    """A source whose database has the named encoding, with an empty table ``flights``."""

    def create(encoding: str) -> Source:
        name = f"source_{encoding.lower()}"
        with psycopg.connect(postgres_server.url(), autocommit=True) as session:
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            session.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING {}").format(
                    sql.Identifier(name), sql.Literal(encoding)
                )
            )
        url = postgres_server.url(name)
        source = Source(connection_of(url), url, tmp_path / "data")
        source.sql("create table flights (id int primary key, code text, note text)")
        return source

    return create


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252", "SQL_ASCII", "EUC_JP"])
def test_text_of_another_encoding_arrives_as_characters(encoded: Encoded, encoding: str) -> None:
    source = encoded(encoding)
    note = "ASCII" if encoding == "SQL_ASCII" else "東" if encoding == "EUC_JP" else "é§"
    with psycopg.connect(source.url, client_encoding="UTF8") as session:
        session.execute("insert into flights values (1, 'a', %s)", (note.encode().decode(),))
    assert rows_of(source.run(sql_table())[1], "note") == [(note,)]


def test_value_that_a_view_cannot_compute_is_source_data(source: Source) -> None:
    source.sql("create view flights as select g as id, 10 / (g - 3) as fare from generate_series(1, 5) g")
    with pytest.raises(SourceDataError, match="'fare'") as caught:
        source.run(sql_table())
    assert "division by zero" in (caught.value.got or "")


@pytest.mark.parametrize("mode", [{}, {"mode": "incremental", "cursor": "id"}], ids=["snapshot", "incremental"])
def test_bytes_that_are_no_utf8_are_named_as_source_data(encoded: Encoded, mode: dict[str, str]) -> None:
    r"""A SQL_ASCII database never checked what it was given: ``\xff`` is a fault of the row, not of the network."""
    source = encoded("SQL_ASCII")
    source.sql(r"insert into flights values (1, 'EWR', E'caf\303\251'), (2, 'JFK', E'caf\377')")
    with pytest.raises(SourceDataError) as caught:
        source.run(sql_table(**mode))  # type: ignore[arg-type]
    facts = caught.value.facts
    assert (facts["table"], facts["relation"], facts["column"]) == ("flights", "public.flights", "note")
    assert (facts["connection"], facts["encoding"]) == ("flights_db", "SQL_ASCII")
    assert "0xff" in (caught.value.got or "")
    assert not caught.value.retry_helps
    assert source.info.password.get_secret_value() not in repr(caught.value)
