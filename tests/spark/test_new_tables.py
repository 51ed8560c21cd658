"""Streams of changes derived again in place and in a new physical table, and current rows that become a history.

Whatever way, the table is what a first refine of the same bronze makes of it (rules 14, 33, 35).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.domain.job import Anew, BuildTable
from headwater.domain.names import Layer
from headwater.domain.run import InputRef
from headwater.domain.spec import ColumnRule, GoldSpec, Silver, TableSpec
from headwater.domain.staging import StagedTable, TableState

pytestmark = pytest.mark.filterwarnings("ignore:Not fully supported for all datasources yet:DeprecationWarning")

COLUMNS = "k bigint, v string, w string"
CDC, HISTORY, UPSERT = Silver(mode="cdc"), Silver(mode="cdc", applied_as="scd2"), Silver(mode="upsert")
ASKED = {"all": Anew(), "since_2": Anew(after_batch=1), "apart": Anew(), "fresh": None}
FORMS = {"cdc": CDC, "history": HISTORY, "moved": UPSERT}
NAMES = ("cdc_all", "cdc_since_2", "cdc_fresh", "history_all", "history_apart", "history_fresh", "moved_apart")
"""``<form>_<how it is derived the second time>``; a fresh table is derived once."""


def event(place: int, op: str, k: int | None, v: str | None = None, w: str | None = None) -> dict[str, Any]:
    """An event at a place of the log; ``w="?"`` is left out."""
    left_out = ["w"] if w == "?" else []
    marks = {"_hw_carried": [name for name in ("k", "v", "w") if name not in left_out], "_hw_unavailable": left_out}
    at = datetime(2026, 2, 1, 0, place, tzinfo=UTC)
    values = {"k": k, "v": v, "w": None if left_out else w}
    return {**values, **marks, "_hw_op": op, "_hw_position": f"{place:04d}", "_hw_event_at": at}


BATCHES = (
    [event(1, "c", 1, "a", "big"), event(2, "c", 2, "b", "x"), event(3, "c", 3, "c", "y"), event(3, "c", 5, "e", "z")],
    [event(5, "u", 1, "d", "?"), event(6, "d", 2), event(4, "u", 3, "late", "?"), event(7, "c", 4, "f", "v")],
)


@pytest.fixture(scope="module")
def staged(shared_lake: Any) -> dict[str, StagedTable]:
    """The first batch refined by the earlier files; then all by the new ones, as each table's name says."""
    lake, orders = shared_lake, []
    sources = {name: put(lake, 1, name) for name in NAMES}
    known = [lake.refine_spec(spec_of(lake, name), sources[name]) for name in NAMES if not name.endswith("fresh")]
    assert [result.error for result in lake.refine_all(known)] == [None] * len(known)
    for name in NAMES:
        order, how = lake.refine_spec(edited(lake, name), put(lake, 2, name)), name.partition("_")[2]
        if how != "fresh":
            stray(lake, name)
            update = {"from_batch": 0, "anew": ASKED[how], "base": lake.head(order.silver), "new_table": how == "apart"}
            order = order.model_copy(update=update)
        orders.append(order)
    results = lake.run(lake.job("refine", 2, refine=tuple(orders))).tables
    assert [result.error for result in results] == [None] * len(orders)
    return {order.spec.name: result.staged for order, result in zip(orders, results, strict=True)}


def put(lake: Any, batch: int, name: str) -> InputRef:
    is_stream = not name.startswith("moved")
    source: InputRef = lake.events(batch, COLUMNS, BATCHES[batch - 1], name, changes=is_stream)
    return source


def spec_of(lake: Any, name: str) -> TableSpec:
    spec: TableSpec = lake.spec("upsert", name=name).model_copy(update={"silver": FORMS[name.partition("_")[0]]})
    return spec


def edited(lake: Any, name: str) -> TableSpec:
    """In place values change; in a new table a column gets another name, too, or current rows become a history."""
    spec = spec_of(lake, name)
    if name.startswith("moved"):
        return spec.model_copy(update={"silver": Silver(mode="scd2")})
    rules = {"v": ColumnRule(expression="upper(v)")}
    rules |= {"w": ColumnRule(rename="text", type="string")} if name.endswith("apart") else {}
    return spec.model_copy(update={"columns": rules})


def stray(lake: Any, name: str) -> None:
    """A row that no bronze row gives, published by whatever went wrong."""
    silver = lake.name(Layer.SILVER, name)
    one = f"(SELECT * EXCEPT (k), 99 AS k FROM {silver.iceberg} LIMIT 1)"
    names = ", ".join(lake.spark.table(silver.iceberg).columns)
    lake.spark.sql(f"INSERT INTO {silver.iceberg} SELECT {names} FROM {one}").collect()


def rows(lake: Any, staged: StagedTable, where: str = "true") -> list[tuple[Any, ...]]:
    """What is believed now of what lies there."""
    frame = lake.spark.sql(f"SELECT * FROM {staged.home.iceberg} VERSION AS OF {staged.staged}")
    history = "batch_out" in frame.columns
    seen = frame.where(where).where("NOT _hw_deleted" + (" AND batch_out IS NULL" if history else ""))
    text = "text" if "text" in frame.columns else "w"
    times = ("valid_from", "valid_to") if history else ()
    return sorted(map(tuple, seen.select("k", "v", text, *times).collect()), key=str)


@pytest.mark.parametrize("form", ["cdc", "history"])
def test_a_stream_derived_again_in_place_equals_one_derived_afresh(
    shared_lake: Any, staged: dict[str, StagedTable], form: str
) -> None:
    assert rows(shared_lake, staged[f"{form}_all"]) == rows(shared_lake, staged[f"{form}_fresh"]) != []


def test_from_a_batch_on_only_keys_of_it_are_derived_again(shared_lake: Any, staged: dict[str, StagedTable]) -> None:
    """Key 5 has no later event: it keeps what the earlier files made of it; so does the stray row."""
    concerned = "k NOT IN (5, 99)"
    found = rows(shared_lake, staged["cdc_since_2"], concerned)
    assert found == rows(shared_lake, staged["cdc_fresh"], concerned)
    assert {row[:2] for row in rows(shared_lake, staged["cdc_since_2"], "k = 5")} == {(5, "e")}


def test_a_new_table_equals_one_derived_afresh(shared_lake: Any, staged: dict[str, StagedTable]) -> None:
    """The stray row stays behind, and so do the columns that left."""
    apart = staged["history_apart"]
    assert rows(shared_lake, apart) == rows(shared_lake, staged["history_fresh"]) != []
    assert apart.physical == apart.branch
    assert apart.base == shared_lake.head(apart.table)
    assert "text" not in shared_lake.spark.table(apart.table.iceberg).columns


def test_current_rows_become_a_history_of_all_that_bronze_knows(
    shared_lake: Any, staged: dict[str, StagedTable]
) -> None:
    """Versions that the current rows had forgotten come back; the deletion of key 2 ended its version."""
    apart = staged["moved_apart"]
    versions = [(k, v, valid_to is None) for k, v, _, _, valid_to in rows(shared_lake, apart)]
    assert versions == [
        (1, "a", False),
        (1, "d", True),
        (2, "b", False),
        (3, "c", False),
        (3, "late", True),
        (4, "f", True),
        (5, "e", True),
    ]
    assert "valid_from" not in shared_lake.spark.table(apart.table.iceberg).columns


def test_the_gate_judges_a_new_table_where_it_lies(shared_lake: Any, staged: dict[str, StagedTable]) -> None:
    """Rule 15: also that a history has no gap."""
    apart = staged["moved_apart"]
    shared_lake.heads[apart.table] = apart.staged
    contract = "checks: [{row_count: {}}]\ncolumns: [{name: valid_from, checks: [{missing: {}}]}]"
    request = shared_lake.judging(apart.table, contract, physical=apart.physical, key=("k",))
    (result,) = shared_lake.judge([request])
    assert result.verdict is not None
    assert result.verdict.reason == ""
    assert len(result.verdict.checks) == 4


def test_gold_reads_an_input_where_it_lies_and_is_itself_built_apart(
    shared_lake: Any, staged: dict[str, StagedTable]
) -> None:
    lake, source = shared_lake, staged["history_apart"]
    gold = lake.filled(lake.name(Layer.GOLD, "texts"), "gone string", ["'old'"])
    sql = f"SELECT t.k, t.text FROM {source.table.dotted} AS t WHERE t.is_current"
    order = BuildTable(
        spec=GoldSpec(name="texts", grain=("k",), sql=sql, inputs=(source.table,)),
        gold=gold,
        base=lake.heads[gold],
        inputs={source.table.dotted: InputRef(snapshot_id=source.staged, batch=2)},
        state=TableState(run_key="i/p/r", spec_hash="h"),
        new_table=True,
        homes={source.table.dotted: source.physical},
    )
    (result,) = lake.run(lake.job("build_gold", 2, build=(order,))).tables
    assert result.error is None
    made = lake.spark.sql(f"SELECT * FROM {result.staged.home.iceberg} VERSION AS OF {result.staged.staged}")
    assert made.columns == ["k", "text"]
    assert sorted(map(tuple, made.collect())) == [(row[0], row[2]) for row in rows(lake, source, "valid_to IS NULL")]
    assert [row.gone for row in lake.rows(gold)] == ["old"]
