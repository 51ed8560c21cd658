"""MariaDB against a real lake: equal values have one text, and history leaves when it is proven."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from tests.integration.reconciling.conftest import ORDERS
from tests.integration.reconciling.lake_under_test import Fixed, Lake
from tests.integration.sources.mariadb_under_test import MariaDb, MariaSource

from headwater.adapters.reconciling import OffloadedSides
from headwater.domain.errors import RequestError
from headwater.domain.names import Layer
from headwater.domain.offload import OffloadReport
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.services.offloading import offload_table

TYPES = """
create table `every` (
  id bigint unsigned, region varchar(20) collate utf8mb4_general_ci, at timestamp(3) not null default '2000-01-01',
  tiny tinyint(1), padded int(7) zerofill, made year, flag bit(1), bits bit(13), wide_bits bit(64), real4 float,
  real8 double, exact decimal(12,4), thin decimal(3,3), wide decimal(38,10), huge decimal(65,20), filled decimal(9,2)
  zerofill, day date, local datetime, micro datetime(6), span time(3), latin varchar(20) character set latin1,
  swedish char(5) collate utf8mb4_swedish_ci, mood enum('sad', 'ö'), several set('a', 'b'), doc json, raw varbinary(9),
  fixed binary(4), place point, who uuid, net inet6, primary key (id, region, at))
"""
ROWS = [
    (
        "1, 'a', '2013-01-31 05:00:00.12', 2, 7, 2013, 1, 5, 18446744073709551615, 0.1, 0.1, 1.5, 0.05, "
        "12345678901234567890.5, 1.1, 3.5, '2013-01-31', '2013-01-31 05:00:00', '2013-01-31 05:00:00.000001', "
        "'-838:59:59', 'ä', 'ab', 'ö', 'a,b', '{\"b\":  1}', x'00ff', x'01', point(1, 2), "
        "'00000000-0000-0000-0000-00000000000a', '::1'"
    ),
    (
        "18446744073709551615, 'ä|ö😀', '2038-01-19 03:14:07.999', -128, 0, 0, 0, 8191, 0, -0.0, -0.0, -0.0001, "
        "-0.999, -0.0000000001, -12345678901234567890123456789012345678901234567890, 0, '0001-01-01', "
        "'9999-12-31 23:59:59', '1000-01-01', '838:59:59.999', '', '', 'sad', '', 'null', '', '', null, null, "
        "'10.0.0.1'"
    ),
    "3, '', '1970-01-01 00:00:01', " + ", ".join(["null"] * 27),
    (
        "4, '3:x ', '2024-02-29 12:00:00.1', 7, 9999999, 2155, b'1', 1, 9223372036854775808, 3.4028235e38, "
        "1.7976931348623157e308, 99999999.9999, 0.999, 9999999999999999999999999999.9999999999, 0, 9999999.99, "
        "'9999-12-31', '1970-01-01', '1969-12-31 23:59:59.999999', '0', '|', '|', null, 'b', '\"|\"', x'7c', x'7c', "
        "null, null, null"
    ),
]
EVERY = TableSpec(
    name="every",
    key=("id", "region", "at"),
    extract=SqlExtract.model_validate({"mode": "snapshot"}),
    silver=Silver(mode="upsert"),
)
ORDERED = """
create table orders (id int primary key, customer varchar(40), total decimal(12,2), fare double, day date,
  updated_at timestamp(3) not null default '2000-01-01', index (updated_at));
insert into orders select seq, concat('customer ', seq % 97), seq * 0.37, seq / 7, '2025-01-01',
  timestamp'2025-01-01 00:00:00' + interval seq minute from seq_1_to_1000
"""
CHUNKED = ORDERS.model_copy(update={"extract": ORDERS.extract.model_copy(update={"chunk_rows": 250})})


@pytest.fixture
def source(mariadb: MariaDb, tmp_path: Path) -> MariaSource:
    return MariaSource(mariadb, tmp_path / "extracts")


def every(source: MariaSource, lake_of: Callable[..., Lake]) -> Lake:
    # MySQL has no such types: their texts are what is compared
    types = (
        TYPES if source.server.is_mariadb else TYPES.replace(" uuid,", " char(36),").replace(" inet6,", " char(45),")
    )
    source.sql(types, *(f"insert into `every` values ({row})" for row in ROWS))
    lake = lake_of(EVERY)
    lake.run()
    return lake


def ordered(source: MariaSource, lake_of: Callable[..., Lake], table: TableSpec = CHUNKED) -> Lake:
    source.sql(*ORDERED.split(";"))
    lake = lake_of(table)
    lake.run()
    return lake


def doubles() -> Iterator[float]:
    """Around every power of two, and at random."""
    for exponent in range(-1074, 1024):
        power = math.ldexp(1, exponent)
        yield from (power, -math.nextafter(power, 0), math.nextafter(power, math.inf))
    drawn = random.Random(1)
    found = (struct.unpack("<d", drawn.randbytes(8))[0] for _ in range(2_000))
    yield from filter(math.isfinite, found)


def test_every_type_has_one_text_on_both_sides(source: MariaSource, lake_of: Callable[..., Lake]) -> None:
    lake = every(source, lake_of)
    found = lake.reconcile()
    assert found.left_out == {}
    assert (found.source_rows, found.lake_rows, found.buckets_differing) == (len(ROWS), len(ROWS), 0)
    assert found.relation == f"{source.database}.every"


def test_a_change_of_any_type_is_seen_and_its_row_found_by_key(
    source: MariaSource, lake_of: Callable[..., Lake]
) -> None:
    lake = every(source, lake_of)
    for change in ("flag = b'1'", "real8 = -5e-324", "latin = ' '", "fixed = x'02'", "region = 'Ä|ö😀'"):
        source.sql(f"update `every` set {change} where id = 18446744073709551615")
        found = {item.key["region"]: item.kind.value for item in lake.reconcile().differences}
        assert found, change
        assert set(found) <= {"ä|ö😀", "Ä|ö😀"}
        source.sql("delete from `every` where id = 18446744073709551615", f"insert into `every` values ({ROWS[1]})")
    assert lake.reconcile().is_equal


def test_every_double_has_the_bits_it_has(source: MariaSource, lake_of: Callable[..., Lake]) -> None:
    values = ", ".join(f"({number}, {value!r})" for number, value in enumerate(doubles()))
    source.sql("create table flights (id int primary key, fare double)", f"insert into flights values {values}")
    lake = lake_of(EVERY.model_copy(update={"name": "flights", "key": ("id",)}))
    lake.run()
    assert lake.reconcile().buckets_differing == 0


def test_a_row_with_a_day_that_is_none_is_not_compared(source: MariaSource, lake_of: Callable[..., Lake]) -> None:
    lake = ordered(source, lake_of)
    source.sql("insert into orders values (2004, 'no day', 1, 1, '2013-02-31', '2025-01-01 01:00')")
    found = lake.reconcile()
    assert (found.unread_rows, found.differences) == (1, ())


def is_refused(lake: Lake, source: MariaSource) -> bool:
    """A server of MySQL has no statement that deletes and counts."""
    if source.server.is_mariadb:
        return False
    with pytest.raises(RequestError, match="the server is MySQL"):
        offload(lake)
    return True


def offload(lake: Lake, before: str = "2025-01-01T10:00:00Z") -> OffloadReport:
    fixed: Any = Fixed(lake.source.info)
    return offload_table(lake.runs, OffloadedSides(fixed), fixed, lake.spec, lake.table.name, before)


def test_what_readers_see_can_be_purged_and_later_runs_see_no_deletion(
    source: MariaSource, lake_of: Callable[..., Lake]
) -> None:
    """Rule 31. The statement deletes in UTC, whatever the zone of the session it is run in."""
    lake = ordered(source, lake_of)
    if is_refused(lake, source):
        return
    report = offload(lake)
    assert [(item.rows, item.verified) for item in report.ranges] == [(250, True), (250, True), (99, True)]
    with source.server.session(source.database) as session, session.cursor() as cursor:
        cursor.execute("set time_zone = '-11:00', sql_mode = 'ANSI,TRADITIONAL'")
        for item in report.verified:
            cursor.execute(item.purge)
        cursor.execute("select count(*), min(id), @@time_zone from orders")
        assert cursor.fetchone() == (401, 600, "-11:00")
    lake.run()
    assert lake.rows(Layer.SILVER).num_rows == 1_000
    assert lake.reconcile().is_equal
    assert offload(lake).ranges == ()


def test_a_purge_removes_exactly_what_was_verified_or_nothing(
    source: MariaSource, lake_of: Callable[..., Lake]
) -> None:
    lake = ordered(source, lake_of)
    if is_refused(lake, source):
        return
    lake.damage("SELECT * FROM silver WHERE id <> 300")
    first, second, third = offload(lake).ranges
    assert (first.verified, second.verified, third.verified, second.purge) == (True, False, True, None)
    assert second.why == "1 rows are not in the lake as they are"
    source.sql("insert into orders values (5000, 'late', 1, 1, null, '2025-01-01 00:30')",
               "update orders set day = '2013-02-31' where id = 599")  # fmt: skip
    with pytest.raises(pymysql.err.OperationalError, match="nothing was purged: another number of rows than 250"):
        source.sql(first.purge or "")
    with source.server.session(source.database) as session, session.cursor() as cursor:
        cursor.execute("select count(*) from orders")
        assert cursor.fetchone() == (1_001,)
    assert offload(lake).ranges[-1].why.startswith("1 rows cannot be compared")


def test_rows_longer_than_the_server_hashes_are_refused(source: MariaSource, lake_of: Callable[..., Lake]) -> None:
    """A row without a hash would be named as altered."""
    lake = ordered(source, lake_of)
    source.sql("update orders set customer = repeat('x', 40)", "set global max_allowed_packet = 1024",
               "alter table orders modify customer longtext")  # fmt: skip
    try:
        source.sql("update orders set customer = repeat('x', 1000) where id = 1")
        with pytest.raises(RequestError, match="makes no text of all their values"):
            lake.reconcile()
        with pytest.raises(RequestError, match=r"makes no text of all their values|the server is MySQL"):
            offload(lake)
    finally:
        source.sql("set global max_allowed_packet = 67108864")


def test_an_engine_without_snapshots_is_refused(source: MariaSource, lake_of: Callable[..., Lake]) -> None:
    lake = ordered(source, lake_of)
    source.sql("alter table orders engine = MyISAM")
    with pytest.raises(RequestError, match="shows no consistent snapshot") as caught:
        lake.reconcile()
    assert caught.value.got == "ENGINE = MyISAM"
