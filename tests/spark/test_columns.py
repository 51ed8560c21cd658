"""``columns:`` in one row: rename, cast, default, expression, mask; and Spark's hashes are Python's (rule 36)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from headwater.domain.job import JobSpec
from headwater.domain.masking import FIXTURE_KEY, MASKING_VARIABLE, MaskingKey
from headwater.domain.names import Layer
from headwater.domain.row_hash import canonical_value, row_hash, type_family
from headwater.domain.spec import ColumnRule
from headwater_spark.transforms.masking import masked, with_masking_key
from headwater_spark.transforms.row_hash import hash_expression

COLUMNS = "k bigint, a string, b string, email string, u timestamp"
RULES = {
    "a": ColumnRule(rename="amount", type="decimal(9,2)", default=1.5),
    "b": ColumnRule(default="none"),
    "email": ColumnRule(mask="hash", rename="who"),
    "shout": ColumnRule(expression="upper(b)"),
}
VALUES: dict[str, tuple[str, list[object]]] = {
    "boolean": ("boolean", [True, False, None]),
    "int": ("int", [0, -(2**31), 2**31 - 1]),
    "bigint": ("bigint", [-(2**63), 2**63 - 1, 7]),
    "float": ("float", [0.5, float("nan"), -0.0]),
    "double": ("double", [0.1, float("-inf"), 5e-324]),
    "decimal": ("decimal(20,4)", [Decimal("1.5000"), Decimal("-0.0000"), Decimal("9999999999999999.9999")]),
    "date": ("date", [date(1, 1, 1), date(9999, 12, 31), date(1970, 1, 2)]),
    "moment": ("timestamp", [datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 5, UTC), None]),
    "local": ("timestamp_ntz", [datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(1969, 12, 31), None]),
    "text": ("string", ["é😀", "", "a\x00b"]),
    "bytes": ("binary", [b"\x00\xff", b"", None]),
}
"""Column -> Spark type, and its value in each of three rows."""


@pytest.fixture(scope="module")
def rows(spark: Any) -> Any:
    schema = ", ".join(f"`{name}` {kind}" for name, (kind, _) in VALUES.items())
    return spark.createDataFrame([tuple(found[n] for _, found in VALUES.values()) for n in range(3)], schema=schema)


def test_every_row_hashes_the_same_in_python_and_spark(rows: Any) -> None:
    expression = hash_expression([(field.name, field.dataType) for field in rows.schema.fields])
    types = {name: kind for name, (kind, _) in VALUES.items()}
    expected = [row_hash({name: found[n] for name, (_, found) in VALUES.items()}, types) for n in range(3)]
    assert sorted(row.h for row in rows.selectExpr(f"{expression} AS h").collect()) == sorted(expected)


def test_every_value_is_masked_the_same_in_python_and_spark(
    lake: Any, rows: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    long = MaskingKey.model_validate({"version": "2", "key": "x" * 100})
    for key in (FIXTURE_KEY, long):
        spec = lake.spec("upsert").model_copy(update={"columns": RULES})
        keyed = with_masking_key(spec, rows, key)
        shown = keyed.selectExpr(
            *(f"{masked(f'`{field.name}`', field.dataType, key)} AS `{field.name}`" for field in rows.schema.fields)
        )
        expected = [
            [None if found[n] is None else key.mask(canonical_value(found[n], type_family(kind))) for n in range(3)]
            for kind, found in VALUES.values()
        ]
        got = shown.collect()
        assert [sorted((row[name] for row in got), key=str) for name in VALUES] == [
            sorted(column, key=str) for column in expected
        ]
        shown.explain(extended=True)
        assert key.pads.inner.hex() not in capsys.readouterr().out.lower()


def test_rules_of_columns_compose(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given = f'{{"version": "9", "key": "{FIXTURE_KEY.key.get_secret_value()}"}}'
    monkeypatch.setenv(MASKING_VARIABLE, given)
    spec = lake.spec("upsert").model_copy(update={"columns": RULES})
    at = "TIMESTAMP '2026-01-01 00:00:00Z'"
    source = lake.bronze(1, COLUMNS, [f"1, '2.50', 'x', 'a@b', {at}", f"2, NULL, NULL, NULL, {at}"])
    result = lake.refine(spec, source)
    assert result.error is None
    found = [(r.k, r.amount, r.b, r.who, r.shout) for r in lake.rows(lake.name(Layer.SILVER), order="k")]
    secret = MaskingKey.model_validate_json(given).mask("a@b")
    assert found == [(1, Decimal("2.50"), "x", secret, "X"), (2, Decimal("1.50"), "none", None, None)]


def test_without_a_key_the_table_that_masks_fails_and_says_so(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MASKING_VARIABLE, raising=False)
    spec = lake.spec("upsert").model_copy(update={"columns": {"email": ColumnRule(mask="hash")}})
    source = lake.bronze(1, COLUMNS, ["1, '1', 'x', 'a@b', NULL"])
    job: JobSpec = lake.job("refine", 1, refine=(lake.refine_spec(spec, source),))
    assert job.masks
    result = lake.run(job).tables[0]
    assert (result.error_code, result.facts["column"]) == ("spec_invalid", "email")
