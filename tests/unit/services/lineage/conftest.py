"""One source with renames, expressions, SQL, a CASE, a join and a window, as the tests of lineage see it."""

from __future__ import annotations

import pytest

from headwater.domain.names import TableName
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, Column, TableSchema
from headwater.domain.spec import ColumnRule, GoldSpec, Owner, Schedule, Silver, SourceSpec, SqlExtract, TableSpec


def schema(*columns: str) -> TableSchema:
    return TableSchema(columns=tuple(Column(name=column, type="string") for column in columns))


PLANES = TableSpec(
    name="planes",
    description="Planes by tail number.",
    key=("tailnum",),
    extract=SqlExtract(relation="fleet.planes"),
    silver=Silver(mode="scd2", sequence_by="registered"),
    columns={
        "tailnum": ColumnRule(expression="upper(trim(tailnum))", description="As painted."),
        "owner_mail": ColumnRule(rename="contact", classification="pii"),
        "registered_at": ColumnRule(rename="registered"),
        "label": ColumnRule(expression="concat(tailnum, ' ', model)"),
    },
)
AIRPORTS = TableSpec(
    name="airports",
    extract=SqlExtract(),
    silver=Silver(mode="upsert"),
    columns={"mail": ColumnRule(classification="pii")},
    sql="SELECT faa, lower(mail) AS address FROM bronze.flights.airports",
)
FLEET = GoldSpec(
    name="fleet",
    grain=("model",),
    sql="""
        WITH counted AS (
          SELECT p.model, p.tailnum, a.faa, row_number() OVER (PARTITION BY p.model ORDER BY p.registered) AS place
          FROM silver.flights.planes AS p JOIN silver.flights.airports AS a ON a.faa = p.contact
        )
        SELECT model, CASE WHEN place = 1 THEN tailnum ELSE faa END AS first, place FROM counted
    """,
    inputs=(TableName.parse("silver.flights.planes"), TableName.parse("silver.flights.airports")),
)
SOURCE = SourceSpec(
    name="flights",
    file="dags/sources/flights.yaml",
    description="Departures.",
    owner=Owner(team="aviation-data"),
    domain="operations",
    schedule=Schedule(manual=True),
    connection="flights_db",
    tables=(PLANES, AIRPORTS),
    gold=(FLEET,),
)
SCHEMAS = {
    "bronze.flights.planes": TableSchema(
        columns=(*schema("tailnum", "model", "owner_mail", "registered_at").columns, *BRONZE_SYSTEM_COLUMNS)
    ),
    "bronze.flights.airports": schema("faa", "mail", "_hw_batch"),
    "silver.flights.planes": schema("tailnum", "model", "contact", "registered", "label", "valid_from", "valid_to"),
    "silver.flights.airports": schema("faa", "address"),
    "gold.flights.fleet": schema("model", "first", "place"),
}


@pytest.fixture
def source() -> SourceSpec:
    return SOURCE


@pytest.fixture
def schemas() -> dict[str, TableSchema]:
    """Live schemas by dotted table name."""
    return SCHEMAS
