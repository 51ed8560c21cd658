"""``:planned_at`` is the instant of the plan, wherever it stands as a parameter and nowhere else (rule 37)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from headwater_spark.transforms.clock import bind_clock

AT = datetime(2026, 3, 31, 12, 30, 0, 5, tzinfo=UTC)
QUOTED = "SELECT ':planned_at' AS s, `:planned_at` -- :planned_at"
OF_A_VARIANT = "SELECT v:planned_at, v[0]:planned_at, f(v):planned_at"
BOUND = "TIMESTAMP '2026-03-31 12:30:00.000005+00:00'"


@pytest.mark.parametrize(
    ("sql", "bound"),
    [
        ("SELECT :planned_at AS t", f"SELECT {BOUND} AS t"),
        ("SELECT 1\nWHERE x<:planned_at AND y>:planned_at", f"SELECT 1\nWHERE x<{BOUND} AND y>{BOUND}"),
        (QUOTED, QUOTED),
        (OF_A_VARIANT, OF_A_VARIANT),
    ],
)
def test_only_the_parameter_is_bound(sql: str, bound: str) -> None:
    assert bind_clock(sql, AT) == bound
    assert bind_clock(sql, AT.astimezone(timezone(timedelta(hours=5)))) == bound


def test_spark_reads_the_instant_to_the_microsecond(spark: Any) -> None:
    row = spark.sql(bind_clock("SELECT CAST(unix_micros(:planned_at) AS BIGINT) AS us", AT)).collect()[0]
    assert row.us == round(AT.timestamp() * 1_000_000)
