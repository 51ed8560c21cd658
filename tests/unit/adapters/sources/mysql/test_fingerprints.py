"""A server that cannot hash rows as the lake does is refused with what lets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pymysql
import pytest

from headwater.adapters.sources.mysql.fingerprints import MySqlRows
from headwater.adapters.sources.mysql.session import Session
from headwater.domain.errors import RequestError
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo

TABLE = TableSpec(name="orders", key=("id",), extract=SqlExtract(), silver=Silver(mode="upsert"))
INFO = ConnectionInfo(id="shop_db", kind="mysql", schema_="shop")


class Lacking(Session):
    """A server that answers one statement by an error of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(None, "9.7.4", timedelta(0))
        self.number = number

    def all(self, query: str) -> list[tuple[Any, ...]]:
        if "MD5" in query:
            raise pymysql.OperationalError(self.number, "said so")
        return [("InnoDB", 1)]


def test_a_server_without_md5_is_refused_with_the_statement_that_installs_it() -> None:
    """MySQL 9.6 has it in a component."""
    with pytest.raises(RequestError, match="the server computes no md5") as caught:
        MySqlRows.check(Lacking(1305), TABLE, INFO)
    assert caught.value.got == "version 9.7.4"
    assert "INSTALL COMPONENT 'file://component_classic_hashing'" in str(caught.value.remedy)


def test_another_failure_is_not_taken_for_it() -> None:
    with pytest.raises(pymysql.OperationalError):
        MySqlRows.check(Lacking(2013), TABLE, INFO)
