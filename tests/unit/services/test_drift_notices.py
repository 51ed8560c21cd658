"""What a source changed and the table bore is told in words, once."""

from __future__ import annotations

import pytest

from headwater.adapters.memory import MemoryCatalog
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.staging import TableState
from headwater.services.drift import Evolution
from headwater.services.drift_notices import changes_of, noted, seen_before

TABLE = TableName(layer=Layer.BRONZE, source="shop", table="orders")


def column(name: str, source_type: str, type_: str = "string", required: bool = False) -> Column:
    return Column(name=name, type=type_, source_type=source_type, required=required)


def schema(*columns: Column) -> TableSchema:
    return TableSchema(columns=columns)


LIVE = schema(column("id", "", "long"), column("note", "", "string"))
BEFORE = schema(column("id", "bigint", "long", required=True), column("note", "text"))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (BEFORE, []),
        (schema(*reversed(BEFORE.columns)), ["columns come in another order: note, id"]),
        (
            schema(column("id", "integer", "int", required=True), column("note", "text")),
            ["column id changed from bigint to integer; the table keeps long"],
        ),
        (
            schema(column("id", "bigint", "long"), column("note", "text", required=True)),
            ["column id may be NULL now", "column note may no longer be NULL"],
        ),
        (
            schema(BEFORE.columns[0], column("note", "jsonb")),
            ["column note changed from text to jsonb; it is string in the table as before"],
        ),
        (
            schema(BEFORE.columns[0], column("extra", "text"), BEFORE.columns[1]),
            [],  # a new column moves nobody
        ),
    ],
)
def test_changes_since_the_last_read_are_told(now: TableSchema, told: list[str]) -> None:
    assert changes_of(LIVE, now, BEFORE, Evolution()) == told


def test_without_a_note_of_before_only_what_the_table_shows_is_told() -> None:
    change = Evolution(left_out=(column("extra", "text"),), judged={"id": "text"})
    assert changes_of(LIVE, schema(column("note", "jsonb")), None, change) == [
        "column extra of type text is left out",
        "column id is text now: values that are no long are set aside",
    ]


def test_a_note_is_written_again_only_when_it_says_something_else() -> None:
    catalog = MemoryCatalog()
    catalog.create(TABLE, LIVE)
    first = noted(catalog, TABLE, None, BEFORE, "a")
    state = TableState(run_key="r", spec_hash="h", source_columns=first)
    assert seen_before(catalog, state) == BEFORE
    assert noted(catalog, TABLE, state, BEFORE, "b") == first
    assert noted(catalog, TABLE, state, LIVE, "c") != first


def test_a_lost_note_costs_an_announcement_and_nothing_else() -> None:
    state = TableState(run_key="r", spec_hash="h", source_columns="memory://gone")
    assert seen_before(MemoryCatalog(), state) is None
