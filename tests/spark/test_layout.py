"""A declared layout is given to a table when it is created, and to gold when it is made anew by another one."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.job import BuildTable
from headwater.domain.names import Layer
from headwater.domain.run import InputRef
from headwater.domain.spec import GoldSpec
from headwater.domain.table_layout import LAYOUT_PROPERTY, TableLayout

FIRST = TableLayout(
    partition_by=("day(u)", "bucket(4, k)", "truncate(2, v)"),
    sort_by=("v desc", "k"),
    properties={"write.target-file-size-bytes": "1048576", "write.merge.mode": "copy-on-write"},
)
SECOND = TableLayout(partition_by=("month(u)", "bucket(4, k)"), properties={"write.merge.mode": "copy-on-write"})


@pytest.fixture(scope="module")
def made(shared_lake: Any) -> Any:
    """A silver table, and gold of it: as declared first, and anew as declared later."""
    lake, silver = shared_lake, shared_lake.name(Layer.SILVER)
    row = "1, 'one', TIMESTAMP '2026-02-01 10:00:00Z'"
    spec = lake.spec("upsert", sequence_by="u", **FIRST.model_dump())
    source = lake.bronze(1, "k bigint, v string, u timestamp", [row])
    assert lake.refine(spec, source).error is None
    build(lake, 1, "kept", FIRST, silver)
    build(lake, 1, "moved", FIRST, silver)
    build(lake, 2, "moved", SECOND, silver, old=FIRST)
    return lake


def build(lake: Any, batch: int, name: str, layout: TableLayout, silver: Any, old: TableLayout | None = None) -> Any:
    gold = lake.name(Layer.GOLD, name)
    sql = f"SELECT k, v, u FROM {silver.dotted}"
    order = BuildTable(
        spec=GoldSpec(name=name, grain=("k",), sql=sql, inputs=(silver,), **layout.model_dump()),
        gold=gold,
        base=lake.heads.get(gold),
        inputs={silver.dotted: InputRef(snapshot_id=lake.heads[silver], batch=1)},
        state=lake.state(batch),
        relayout_from=old,
    )
    (result,) = lake.run(lake.job("build_gold", batch, build=[order])).tables
    lake.publish(result.staged)
    return result


def described(lake: Any, table: Any) -> tuple[list[str], dict[str, str]]:
    rows = lake.spark.sql(f"DESCRIBE TABLE EXTENDED {table.iceberg}").collect()
    parts = [row.data_type for row in rows if row.col_name.startswith("Part ")]
    properties = {row.key: row.value for row in lake.spark.sql(f"SHOW TBLPROPERTIES {table.iceberg}").collect()}
    return parts, properties


@pytest.mark.parametrize("layer", [Layer.SILVER, Layer.GOLD])
def test_a_table_is_created_as_declared(made: Any, layer: Layer) -> None:
    parts, properties = described(made, made.name(layer, "t" if layer is Layer.SILVER else "kept"))
    assert parts == ["days(u)", "bucket(4, k)", "truncate(2, v)"]
    assert properties["sort-order"] == "v DESC NULLS LAST, k ASC NULLS FIRST"
    assert properties["write.target-file-size-bytes"] == "1048576"
    assert properties["write.merge.mode"] == "copy-on-write"
    assert TableLayout.model_validate_json(properties[LAYOUT_PROPERTY]) == FIRST


def test_gold_made_anew_takes_the_changed_layout(made: Any) -> None:
    table = made.name(Layer.GOLD, "moved")
    parts, properties = described(made, table)
    assert sorted(parts) == ["bucket(4, k)", "months(u)"]
    assert "sort-order" not in properties
    assert "write.target-file-size-bytes" not in properties
    assert TableLayout.model_validate_json(properties[LAYOUT_PROPERTY]) == SECOND
    assert [row.k for row in made.rows(table)] == [1]


def test_a_layout_of_columns_that_are_not_there_creates_nothing(made: Any) -> None:
    result = build(made, 1, "wrong", TableLayout(partition_by=("day(uu)",)), made.name(Layer.SILVER))
    assert (result.status, result.error_code) == ("failed", "transform_failed")
    assert "partition_by of" in result.error_line
    assert "names the column uu" in result.error_line
    assert not made.spark.catalog.tableExists(made.name(Layer.GOLD, "wrong").iceberg)
