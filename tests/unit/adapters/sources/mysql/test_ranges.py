"""What a server has to be for its history to leave, and what may stand in the statements that are written for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.ranges import MySqlRanges
from headwater.adapters.sources.mysql.session import Session
from headwater.domain.errors import RequestError
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.offloading import CursorRange
from headwater.ports.reconciling import ComparedColumn, Comparison

SHOP = ConnectionInfo(id="shop_db", kind="mysql", schema_="shop's `db`")
ORDERS = TableSpec(
    name="orders",
    key=("id",),
    extract=SqlExtract(mode="incremental", cursor="id"),
    silver=Silver(mode="upsert"),
)


def test_history_of_mysql_itself_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(RequestError, match="the server is MySQL") as caught:
        MySqlRanges.check(Session(None, "8.0.36", timedelta(0)), ORDERS, SHOP)
    assert caught.value.got == "version 8.0.36"
    assert "MariaDB 10.6" in str(caught.value.allowed)


def test_a_purge_is_one_statement_of_quoted_names_and_literals(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = MySqlRanges(Session(None, "11.4.5-MariaDB", timedelta(0)), ORDERS, SHOP)
    monkeypatch.setitem(rows.__dict__, "_columns", {"id": SourceColumn("id", "int", "int(11)")})
    compared = Comparison(table=ORDERS, columns=(ComparedColumn(source="id", lake="id", type="int"),))
    statement = rows.purge(compared, CursorRange("5", "9", 5, 9), 4)
    assert statement.startswith("EXECUTE IMMEDIATE 'BEGIN NOT ATOMIC")
    assert "DELETE t FROM `shop''s ``db```.`orders` AS t WHERE t.`id` <= 9 AND t.`id` > 5;" in statement
    assert "IF ROW_COUNT() <> 4 THEN" in statement
    assert statement.endswith("END';")
