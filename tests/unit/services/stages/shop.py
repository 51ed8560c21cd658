"""The shop whose runs are tested: three tables, and gold over two of them."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.domain.incident import Incident
from headwater.domain.names import TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import GoldSpec, Owner, Schedule, Silver, SourceSpec, SqlExtract, TableSpec

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCHEMA = TableSchema(columns=(Column(name="id", type="int"),))
TABLES = ("orders", "customers", "stock")


def name(dotted: str) -> TableName:
    return TableName.parse(dotted)


def shop(*foreign: str) -> SourceSpec:
    """Gold ``revenue`` ties orders and customers into one publish group; stock is a group of its own."""
    inputs = ("silver.shop.orders", "silver.shop.customers", *foreign)
    gold = GoldSpec(name="revenue", grain=("day",), sql="SELECT 1", inputs=tuple(name(text) for text in inputs))
    tables = (
        TableSpec(name=table, key=("id",), extract=SqlExtract(), silver=Silver(mode="upsert")) for table in TABLES
    )
    return SourceSpec(
        name="shop",
        file="dags/sources/shop.yaml",
        description="Orders.",
        owner=Owner(team="sales", email=("sales@example.com",)),
        schedule=Schedule(manual=True),
        connection="shop_db",
        tables=tuple(tables),
        gold=(gold,),
        contracts={f"silver.shop.{table}": "checks: []" for table in TABLES},
    )


def incident(dotted: str) -> Incident:
    """An open incident about a held table."""
    return Incident(
        id=7,
        kind="held",
        cause="contract_broken",
        pipeline="shop",
        table=dotted,
        title="held",
        error_line="held",
        likely_cause="rows",
        steps=(),
        owner=Owner(team="sales"),
        first_seen=NOON,
        last_seen=NOON,
    )
