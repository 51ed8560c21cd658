"""Equal values have one text on both sides, whatever their type; and what cannot be compared is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pyarrow as pa
import pytest
from tests.integration.reconciling.lake_under_test import Lake
from tests.integration.sources.sources_under_test import Source, connection_of

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.domain.errors import RequestError
from headwater.domain.names import Layer
from headwater.domain.spec import ColumnRule, Silver, SqlExtract, TableSpec

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE every (
  id bigint, region text, at timestamptz, small smallint, flag boolean, real4 real, real8 double precision,
  exact numeric(12,4), thin numeric(3,3), wide numeric(38,10), loose numeric, day date, local timestamp, raw bytea,
  padded char(5), doc jsonb, old json, tags int[], who uuid, feels mood, net inet, span interval,
  clock time, cash money,
  PRIMARY KEY (id, region, at));
"""
ROWS = [
    (
        "1, 'a', '2013-01-31 05:00:00.12+00', 1, true, 0.1, 0.1, 1.5, 0.05, 12345678901234567890.5, 1.10, "
        "'2013-01-31', '2013-01-31 05:00:00.000001', '\\x00ff', 'ab', '{\"b\": 1, \"a\": [1, 2]}', '{\"b\":  1}', "
        "'{1,2}', '00000000-0000-0000-0000-00000000000a', 'sad', '10.0.0.1/8', '1 day 02:00', '23:59:59.5', 12.5"
    ),
    (
        "2, 'ä|ö', '1969-12-31 23:59:59.999999+00', -32768, false, '-0', '-0', -0.0001, -0.999, -0.0000000001, 1e30, "
        "'0001-01-01', '9999-12-31 23:59:59.999999', '', '', 'null', '[]', '{}', "
        "'ffffffff-ffff-ffff-ffff-ffffffffffff', 'ok', '::1', '-1 mons', '00:00', -0.01"
    ),
    (
        "3, '', '2013-01-01 00:00:00+00', NULL, NULL, 1e-45, 5e-324, NULL, 0, 0, 0.10, NULL, NULL, NULL, NULL, "
        "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
    ),
    (
        "4, '3:x', '2024-02-29 12:00:00+00', 7, true, 3.4028235e38, 1.7976931348623157e308, 99999999.9999, 0.999, "
        "9999999999999999999999999999.9999999999, 'NaN', '9999-12-31', '1970-01-01', '\\x7c', '|', '\"|\"', '{}', "
        "'{NULL}', NULL, NULL, NULL, NULL, NULL, NULL"
    ),
]
EVERY = TableSpec(
    name="every",
    key=("id", "region", "at"),
    extract=SqlExtract.model_validate({"mode": "snapshot", "non_finite": "null"}),
    silver=Silver(mode="upsert"),
)


@pytest.fixture
def latin(postgres_server: EmbeddedPostgres, tmp_path: object) -> str:
    """A database that keeps its texts as LATIN1."""
    with psycopg.connect(postgres_server.url("postgres", None), autocommit=True) as session:
        session.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    return postgres_server.url("latin", None)


def fill(source: Source) -> None:
    source.sql(TYPES, *(f"INSERT INTO every VALUES ({row})" for row in ROWS))


def test_every_type_has_one_text_on_both_sides(source: Source, lake_of: Callable[..., Lake]) -> None:
    fill(source)
    lake = lake_of(EVERY)
    lake.run()
    found = lake.reconcile()
    assert found.left_out == {}
    assert (found.source_rows, found.buckets_differing, found.rows_read) == (len(ROWS), 0, 0)


def test_a_database_of_another_encoding_has_the_same_texts(
    latin: str, source: Source, lake_of: Callable[..., Lake]
) -> None:
    source.url, source.info = latin, connection_of(latin)
    fill(source)
    lake = lake_of(EVERY)
    lake.run()
    assert lake.reconcile().buckets_differing == 0


def test_a_change_of_any_type_is_seen_and_its_row_found_by_key(source: Source, lake_of: Callable[..., Lake]) -> None:
    fill(source)
    lake = lake_of(EVERY)
    lake.run()
    for column in ("real8", "thin", "local", "raw", "padded", "doc", "cash", "flag"):
        before = f"SELECT {column}::text FROM every WHERE id = 2"
        with psycopg.connect(source.url, autocommit=True) as session:
            [[kept]] = session.execute(before.encode()).fetchall()
            session.execute(f"UPDATE every SET {column} = NULL WHERE id = 2".encode())
            [item] = lake.reconcile().differences
            session.execute(f"UPDATE every SET {column} = %s WHERE id = 2".encode(), (kept,))
        assert item.key == {"id": "2", "region": "ä|ö", "at": "1969-12-31 23:59:59.999999+00"}
        assert (item.kind.value, item.mended_by) == ("lag", "next_run")


def test_renamed_columns_are_compared_and_shaped_ones_left_out_by_name(
    source: Source, lake_of: Callable[..., Lake]
) -> None:
    fill(source)
    rules = {"small": ColumnRule(rename="tiny"), "doc": ColumnRule(mask="hash"), "net": ColumnRule(type="long")}
    lake = lake_of(EVERY.model_copy(update={"columns": rules}))
    lake.run()
    found = lake.reconcile()
    assert found.left_out == {"doc": "masked in silver", "net": "cast in silver"}
    assert found.compared.layer is Layer.SILVER
    lake.damage("SELECT * REPLACE (5::INTEGER AS tiny) FROM silver WHERE id <> 1")
    kinds = {item.key["id"]: item.kind.value for item in lake.reconcile().differences}
    assert kinds == {"1": "loss", "2": "corruption", "3": "corruption", "4": "corruption"}


def test_of_a_history_what_holds_now_is_compared(source: Source, lake_of: Callable[..., Lake]) -> None:
    fill(source)
    lake = lake_of(EVERY.model_copy(update={"silver": Silver(mode="scd2")}))
    lake.run()
    past = "SELECT * REPLACE (7::INTEGER AS small, {0} AS {1}) FROM silver".format
    ended, revoked = past("now()::TIMESTAMPTZ", "valid_to"), past("now()::TIMESTAMPTZ", "batch_out")
    lake.damage(f"SELECT * FROM silver UNION ALL {ended} UNION ALL {revoked}")
    found = lake.reconcile()
    assert (found.lake_rows, found.is_equal, found.differences) == (len(ROWS), True, ())


def test_where_silver_is_made_by_sql_bronze_is_compared(source: Source, lake_of: Callable[..., Lake]) -> None:
    fill(source)
    lake = lake_of(EVERY.model_copy(update={"sql": "SELECT id FROM bronze.shop.every"}))
    lake.run()
    lake.damage("SELECT id, _hw_deleted FROM silver WHERE id < 3")
    found = lake.reconcile()
    assert (found.compared.layer, found.lake_rows, found.is_equal) == (Layer.BRONZE, len(ROWS), True)


def test_rows_in_quarantine_are_known(source: Source, lake_of: Callable[..., Lake]) -> None:
    """Both forms of a key's JSON are understood: PostgreSQL's and Spark's."""
    fill(source)
    lake = lake_of(EVERY.model_copy(update={"columns": {"region": ColumnRule(rename="area")}}))
    lake.run()
    lake.damage("SELECT * REPLACE (if(id = 3, 9, small)::INTEGER AS small) FROM silver WHERE id > 2")
    keys = [
        '{"id": 1, "region": "a", "at": "2013-01-31T05:00:00.12+00:00"}',
        '{"id":2,"area":"ä|ö","at":"1969-12-31T23:59:59.999999Z"}',
        '{"id":3,"area":"","at":"2013-01-01T00:00:00.000Z"}',
        None,
        "no json",
    ]
    lake.append(Layer.QUARANTINE, pa.table({"_hw_key": keys, "_hw_detected_at": [datetime.now(UTC)] * 5}))
    lake.release("quarantine", [Layer.QUARANTINE])
    found = lake.reconcile()
    kinds = {item.key["id"]: item.kind.value for item in found.differences}
    # what silver holds of the third was never read: its row in quarantine does not explain it
    assert kinds == {"1": "quarantined", "2": "quarantined", "3": "corruption"}
    assert [item.key["id"] for item in found.wrong] == ["3"]


def test_a_key_without_a_text_that_leads_back_is_refused(source: Source, lake_of: Callable[..., Lake]) -> None:
    fill(source)
    lake = lake_of(EVERY.model_copy(update={"key": ("id", "real8")}))
    lake.run()
    with pytest.raises(RequestError, match="key column 'real8'"):
        lake.reconcile()
