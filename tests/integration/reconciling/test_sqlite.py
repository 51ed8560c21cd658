"""SQLite against a real lake: a value of any type has one text, and what is set aside is neither lost nor altered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.reconciling.conftest import ORDERS
from tests.integration.reconciling.lake_under_test import Fixed, Lake
from tests.integration.reconciling.shops_under_test import SqliteSource

from headwater.adapters.reconciling import OffloadedSides
from headwater.domain.errors import RequestError
from headwater.domain.names import Layer
from headwater.domain.offload import OffloadReport
from headwater.domain.reconciliation import DifferenceKind
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.services.offloading import offload_table

TYPES = """
create table every (
  id integer, region varchar(9) collate nocase, at timestamptz, flag boolean, real8 double, exact decimal(12,4),
  thin decimal(3,3), day date, local datetime, raw blob, doc json, loose, primary key (id, region, at))
"""
ROWS = [
    "1, 'a', '2013-01-31 06:00:00+01:00', 1, 0.1, 1.5, 0.05, '2013-01-31', '2013-01-31T05:00', x'00ff', '{}', 7",
    (
        "-2, 'ä|ö😀', '1969-12-31 23:59:59.999999Z', 0, -0.0, '-0.0001', -0.999, '0001-01-01', "
        "'9999-12-31 23:59:59.999999', x'', 'null', 1.5"
    ),
    "3, '', '2013-01-01 00:00:00', " + ", ".join(["null"] * 9),
    (
        "9223372036854775807, '3:x', '2024-02-29 12:00:00.120', true, 5e-324, 99999999, '0.999', '9999-12-31', "
        "'1970-01-01 00:00', x'7c', '|', '|'"
    ),
]
EVERY = TableSpec(
    name="every",
    key=("id", "region", "at"),
    extract=SqlExtract.model_validate({"mode": "snapshot", "non_finite": "null", "max_quarantined_share": 1}),
    silver=Silver(mode="upsert"),
)


@pytest.fixture
def source(tmp_path: Path) -> SqliteSource:
    return SqliteSource(tmp_path)


@pytest.fixture
def every(source: SqliteSource, lake_of: Callable[..., Lake]) -> Lake:
    source.sql(TYPES, *(f"insert into every values ({row})" for row in ROWS))
    lake = lake_of(EVERY)
    lake.run()
    return lake


def test_every_type_has_one_text_on_both_sides(every: Lake) -> None:
    found = every.reconcile()
    assert found.left_out == {}
    assert (found.source_rows, found.lake_rows, found.buckets_differing) == (len(ROWS), len(ROWS), 0)
    assert found.relation == "main.every"


CHANGES = ["flag = 1", "real8 = 5e-324", "exact = 1", "raw = x'00'", "loose = null", "local = '2000-01-01 00:00'"]


def adding(numbers: Iterable[int], row: str) -> str:
    """The statement that adds the row under other numbers."""
    return "insert into every values " + ", ".join(f"({number}, {row.partition(', ')[2]})" for number in numbers)


def test_a_change_of_any_type_is_seen_and_its_row_found_by_key(every: Lake, source: SqliteSource) -> None:
    changed = range(10, 10 + len(CHANGES))
    source.sql(adding(changed, ROWS[1]))
    every.run()
    source.sql(*(f"update every set {change} where id = {n}" for n, change in zip(changed, CHANGES, strict=True)))
    found = every.reconcile().differences
    assert {item.key["id"]: item.kind for item in found} == dict.fromkeys(map(str, changed), DifferenceKind.LAG)
    assert {(item.key["region"], item.key["at"]) for item in found} == {("ä|ö😀", "1969-12-31 23:59:59.999999+00")}
    source.sql("delete from every where id between 10 and 99", adding(changed, ROWS[1]))
    source.sql("update every set exact = '1.5000', at = '2013-01-31T05:00:00.0Z', real8 = '0.1' where id = 1")
    assert every.reconcile().is_equal


ASIDE = [
    "real8 = 'much'",
    "exact = 1.00005",
    "thin = 2",
    "day = 20130101",
    "local = '2013-02-30 00:00'",
    "flag = 2",
    "doc = x'00'",
    "raw = 'text'",
    "doc = cast(x'6162ff' as text)",
    "loose = 'a' || char(0)",
]
NO_KEY = "(null, 'a', '2013-01-01'), ('many', 'b', '2013-01-01'), (5, x'00', '2013-01-01'), (6, 'c', 'never')"


def test_what_an_extract_sets_aside_is_not_compared(every: Lake, source: SqliteSource) -> None:
    """Neither the version silver has of such a row, nor one it never had, is told as a difference."""
    known, unknown = range(10, 10 + len(ASIDE)), range(50, 50 + len(ASIDE))
    source.sql(adding(known, ROWS[0]))
    every.run()
    source.sql(adding(unknown, ROWS[0]), f"insert into every (id, region, at) values {NO_KEY}")
    for numbers in (known, unknown):
        source.sql(*(f"update every set {rule} where id = {n}" for n, rule in zip(numbers, ASIDE, strict=True)))
    found = every.reconcile()
    assert (found.unread_rows, found.source_rows, found.lake_rows) == (2 * len(ASIDE), len(ROWS), len(ROWS))
    assert found.differences == ()
    # what the extract says of the same rows
    [_, taken] = source.run(EVERY)
    assert (taken.rows, taken.rejected) == (len(ROWS), 2 * len(ASIDE) + 4)


def test_infinity_is_what_the_policy_makes_of_it(every: Lake, source: SqliteSource) -> None:
    source.sql("update every set real8 = 9e999 where id = 3")
    assert every.reconcile().is_equal
    other = EVERY.extract.model_copy(update={"non_finite": "stop"})
    every.table = every.table.model_copy(update={"extract": other})
    assert every.reconcile().unread_rows == 1


def test_a_key_that_is_none_is_told(source: SqliteSource, lake_of: Callable[..., Lake]) -> None:
    source.sql(
        "create table orders (id int, updated_at timestamptz)", "insert into orders values (1, '2025-01-01 00:00')"
    )
    lake = lake_of(ORDERS)
    lake.run()
    source.sql("insert into orders values (1, '2024-01-01 00:00:00')")
    assert [item.kind for item in lake.reconcile().differences] == [DifferenceKind.AMBIGUOUS]


LAGGING = ORDERS.model_copy(update={"extract": ORDERS.extract.model_copy(update={"lag": timedelta(hours=1)})})
HISTORY = """
create table orders (id integer primary key, customer text, total decimal(12,2), updated_at timestamptz);
create index moved on orders (updated_at);
with recursive n(n) as (select 1 union all select n + 1 from n where n < 1000)
  insert into orders select n, 'customer ' || n % 97, n * 0.5,
    strftime('%Y-%m-%d %H:%M:%S', '2025-01-01', '+' || n || ' minutes') from n
"""


@pytest.fixture
def ranges_of_250(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headwater.services.offloading.ROWS_OF_A_RANGE", 250)


@pytest.fixture
def ordered(source: SqliteSource, lake_of: Callable[..., Lake], ranges_of_250: None) -> Lake:
    return run_over(source, lake_of(LAGGING))


def run_over(source: SqliteSource, lake: Lake) -> Lake:
    source.sql(*HISTORY.split(";"))
    lake.run()
    return lake


def offload(lake: Lake, before: str = "2025-01-01T10:00:00Z") -> OffloadReport:
    fixed: Any = Fixed(lake.source.info)
    return offload_table(lake.runs, OffloadedSides(fixed), fixed, lake.spec, lake.table.name, before)


def verdicts(report: OffloadReport) -> list[tuple[int, bool]]:
    return [(item.rows, item.verified) for item in report.ranges]


def count(source: SqliteSource) -> tuple[int, int]:
    with closing(sqlite3.connect(source.url)) as session:
        found: tuple[int, int] = session.execute("select count(*), min(id) from orders").fetchone()
    return found


def test_what_readers_see_can_be_purged_and_later_runs_see_no_deletion(ordered: Lake, source: SqliteSource) -> None:
    """Rule 31. The first and second range are bounded by rows, the last by the bound."""
    report = offload(ordered)
    assert verdicts(report) == [(250, True), (250, True), (99, True)]
    source.sql(*[item.purge or "" for item in report.verified])
    assert count(source) == (401, 600)
    ordered.run()
    assert ordered.rows(Layer.SILVER).num_rows == 1_000
    assert ordered.reconcile().is_equal
    assert offload(ordered).ranges == ()


def test_a_purge_removes_exactly_what_was_verified_or_nothing(ordered: Lake, source: SqliteSource) -> None:
    first = offload(ordered).ranges[0].purge or ""
    source.sql("insert into orders values (5000, 'late', 1, '2025-01-01 00:30:00')")
    with pytest.raises(sqlite3.OperationalError, match="malformed JSON"):
        source.sql(first)
    assert count(source) == (1_001, 1)
    source.sql("delete from orders where id = 5000", first)
    assert count(source) == (750, 251)


def test_a_range_that_differs_or_cannot_be_compared_stays(ordered: Lake, source: SqliteSource) -> None:
    """One row lost in the lake, one value there that no run takes, one row without a key."""
    ordered.damage("SELECT * FROM silver WHERE id <> 7")
    source.sql("update orders set total = 'much' where id = 260")
    report = offload(ordered)
    assert verdicts(report) == [(250, False), (250, False), (99, True)]
    assert [item.why for item in report.ranges[:2]] == [
        "1 rows are not in the lake as they are",
        "1 rows cannot be compared: no key, or values that are not carried",
    ]
    assert [item.purge is None for item in report.ranges] == [True, True, False]


def test_a_row_without_a_key_keeps_its_range(source: SqliteSource, lake_of: Callable[..., Lake]) -> None:
    rows = ["1, '2025-01-01 00:01'", "null, '2025-01-01 00:02'", "3, '2025-01-02 00:00'"]
    source.sql("create table orders (id integer, updated_at timestamptz)",
               *(f"insert into orders values ({row})" for row in rows))  # fmt: skip
    lake = lake_of(LAGGING)
    lake.run()
    assert verdicts(offload(lake)) == [(2, False)]


@pytest.mark.parametrize("form", ["2025-01-01T03:00:00", "2025-01-01 05:00:00+01:00"])
def test_times_that_do_not_sort_as_their_texts_are_no_range(form: str, ordered: Lake, source: SqliteSource) -> None:
    """A purge is for the owner's own SQLite, which compares texts."""
    source.sql(f"update orders set updated_at = '{form}' where id = {180 if 'T' in form else 240}")
    with pytest.raises(RequestError, match="does not sort as its times do") as caught:
        offload(ordered)
    assert "2025-01-01" in str(caught.value.got)


@pytest.mark.usefixtures("ranges_of_250")
def test_a_cursor_of_numbers_is_bounded_by_a_number(source: SqliteSource, lake_of: Callable[..., Lake]) -> None:
    extract = LAGGING.extract.model_copy(update={"cursor": "id", "lag": timedelta(0)})
    lake = run_over(source, lake_of(LAGGING.model_copy(update={"extract": extract})))
    report = offload(lake, "301")
    assert verdicts(report) == [(250, True), (50, True)]
    source.sql(*[item.purge or "" for item in report.verified])
    assert count(source) == (700, 301)
