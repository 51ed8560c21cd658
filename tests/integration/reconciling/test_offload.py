"""History leaves a real database only where readers of a real lake see it, and later runs miss nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from tests.integration.reconciling.conftest import ORDERS
from tests.integration.reconciling.lake_under_test import BEGAN, Fixed, Lake
from tests.integration.sources.sources_under_test import Source

from headwater.adapters.reconciling import OffloadedSides
from headwater.domain.errors import NotFoundError, RequestError
from headwater.domain.names import Layer
from headwater.domain.offload import OffloadReport
from headwater.domain.spec import ColumnRule, TableSpec
from headwater.services.offloading import offload_table

ROWS = 1_000
BEFORE = "2025-01-01T10:00:00Z"
"""The first 599 of them."""
MAKE = f"""
CREATE TABLE orders AS SELECT n AS id, 'customer ' || n % 97 AS customer, (n * 0.37)::numeric(12,2) AS total,
  timestamptz '2025-01-01 00:00:00+00' + n * interval '1 minute' AS updated_at
FROM generate_series(1, {ROWS}) AS n;
ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE INDEX ON orders (updated_at)
"""
CHUNKED = ORDERS.model_copy(update={"extract": ORDERS.extract.model_copy(update={"chunk_rows": 250})})


def made(source: Source, lake_of: Callable[..., Lake], table: TableSpec = CHUNKED) -> Lake:
    source.sql(*MAKE.split(";"))
    lake = lake_of(table)
    lake.run()
    return lake


def offload(lake: Lake, before: str = BEFORE) -> OffloadReport:
    fixed: Any = Fixed(lake.source.info)
    return offload_table(lake.runs, OffloadedSides(fixed), fixed, lake.spec, lake.table.name, before)


def verdicts(report: OffloadReport) -> list[tuple[int, bool]]:
    return [(item.rows, item.verified) for item in report.ranges]


def test_what_readers_see_can_be_purged_and_later_runs_see_no_deletion(
    source: Source, lake_of: Callable[..., Lake]
) -> None:
    """Rule 31: absence means nothing to an incremental extract."""
    lake = made(source, lake_of)
    report = offload(lake)
    assert verdicts(report) == [(250, True), (250, True), (99, True)]
    assert (report.is_verified, report.rows, report.looked_at) == (True, 599, BEGAN)
    source.sql(*[item.purge or "" for item in report.verified])
    with psycopg.connect(source.url) as session:
        assert session.execute("select count(*), min(id) from orders").fetchone() == (ROWS - 599, 600)
    source.sql("insert into orders values (2000, 'new', 1, now() - interval '1 d')")
    lake.run()
    assert lake.rows(Layer.SILVER).num_rows == ROWS + 1
    assert lake.reconcile().is_equal
    assert offload(lake).ranges == ()


def test_a_range_that_differs_stays(source: Source, lake_of: Callable[..., Lake]) -> None:
    """One row lost in the lake, one altered there; their ranges only."""
    lake = made(source, lake_of)
    lake.damage("SELECT * REPLACE (CASE WHEN id = 300 THEN 'other' ELSE customer END AS customer) FROM silver "
                "WHERE id <> 7")  # fmt: skip
    report = offload(lake)
    assert verdicts(report) == [(250, False), (250, False), (99, True)]
    assert {item.why for item in report.ranges[:2]} == {"1 rows are not in the lake as they are"}
    assert [item.purge is None for item in report.ranges] == [True, True, False]
    assert "99 of 599 rows" in report.line


def test_rows_that_only_the_lake_has_keep_nothing(source: Source, lake_of: Callable[..., Lake]) -> None:
    """An earlier purge, or a deletion that an incremental table does not follow."""
    lake = made(source, lake_of)
    source.sql("delete from orders where id in (3, 4)")
    report = offload(lake)
    assert verdicts(report) == [(250, True), (250, True), (97, True)]
    assert report.ranges[0].lake_rows == 252


def test_rows_that_are_not_carried_keep_their_range(source: Source, lake_of: Callable[..., Lake]) -> None:
    """What is in quarantine only is not what readers see."""
    source.sql(*MAKE.split(";"), "update orders set total = 'NaN' where id = 260")
    lake = lake_of(CHUNKED)
    lake.run()
    report = offload(lake)
    assert verdicts(report) == [(250, True), (250, False), (99, True)]
    assert report.ranges[1].why.startswith("1 rows cannot be compared")


def test_a_purge_removes_exactly_what_was_verified_or_nothing(source: Source, lake_of: Callable[..., Lake]) -> None:
    lake = made(source, lake_of)
    first = offload(lake).ranges[0]
    source.sql("insert into orders values (5000, 'late', 1, '2025-01-01 00:30+00')")
    with pytest.raises(psycopg.errors.RaiseException, match="nothing was purged: 251 rows instead of 250"):
        source.sql(first.purge or "")
    with psycopg.connect(source.url) as session:
        assert session.execute("select count(*) from orders").fetchone() == (ROWS + 1,)


def test_bronze_is_compared_where_silver_has_other_columns(source: Source, lake_of: Callable[..., Lake]) -> None:
    """A masked value that leaves the source is then in bronze alone, so it is bronze that has to have it."""
    masked = CHUNKED.model_copy(update={"columns": {"customer": ColumnRule(mask="hash")}})
    report = offload(made(source, lake_of, masked))
    assert (report.compared.layer, report.is_verified) == (Layer.BRONZE, True)


def test_rows_marked_as_deleted_are_looked_for_in_bronze(source: Source, lake_of: Callable[..., Lake]) -> None:
    """Silver shows readers none of them, and the lake has them all the same."""
    extract = CHUNKED.extract.model_copy(update={"deleted_column": "paid"})
    lake = made(source, lake_of, CHUNKED.model_copy(update={"extract": extract}))
    lake.damage("SELECT * REPLACE (id % 2 = 0 AS _hw_deleted) FROM silver")
    report = offload(lake)
    assert (report.compared.layer, report.is_verified) == (Layer.BRONZE, True)


def test_what_runs_still_look_at_cannot_leave(source: Source, lake_of: Callable[..., Lake]) -> None:
    lake = made(source, lake_of)
    with pytest.raises(RequestError, match="not all behind the runs yet") as caught:
        offload(lake, "2025-01-01T15:41:00Z")
    assert caught.value.allowed == "at most 2025-01-01T15:40:00+00:00: the watermark less the lag"
    assert offload(lake, "2025-01-01T15:40:00Z").is_verified
    with pytest.raises(RequestError, match="no bound of the cursor"):
        offload(lake, "yesterday")


def test_a_snapshot_is_refused_in_words(source: Source, lake_of: Callable[..., Lake]) -> None:
    """Rule 31: silver would delete what is purged."""
    snapshot = ORDERS.model_copy(update={"extract": ORDERS.extract.model_copy(update={"mode": "snapshot"})})
    with pytest.raises(RequestError, match="would be deleted in silver, too"):
        offload(made(source, lake_of, snapshot))


def test_a_table_without_a_release_has_nothing_to_verify(source: Source, lake_of: Callable[..., Lake]) -> None:
    source.sql(*MAKE.split(";"))
    with pytest.raises(NotFoundError):
        offload(lake_of(CHUNKED))


def test_a_cursor_of_numbers_is_bounded_by_a_number(source: Source, lake_of: Callable[..., Lake]) -> None:
    extract = CHUNKED.extract.model_copy(update={"cursor": "id", "lag": timedelta(0)})
    numbered = CHUNKED.model_copy(update={"extract": extract})
    lake = made(source, lake_of, numbered)
    assert verdicts(offload(lake, "601")) == [(250, True), (250, True), (100, True)]
    assert verdicts(offload(lake, str(ROWS + 1)))[-1] == (250, True)
    with pytest.raises(RequestError):
        offload(lake, str(ROWS + 2))
