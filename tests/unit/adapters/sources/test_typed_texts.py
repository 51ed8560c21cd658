"""What Arrow types is what ``text_values`` takes, to the same value; anything else it leaves alone."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.sources.text_values import is_untypable, typed
from headwater.adapters.sources.typed_texts import typing_of

ENGINE = duckdb.connect()
ENGINE.execute("SET TimeZone = 'UTC'")
KINDS = (
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "decimal(5,2)",
    "decimal(38,0)",
    "date",
    "timestamp",
    "timestamptz",
)
PLAUSIBLE = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.decimals(-1000, 1000, places=2).map(str),
    st.floats().map(str),
    st.floats(width=32).map(str),
    st.dates().map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda at: f"{at.isoformat(timespec='minutes')}Z"),
    st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9](:[0-5][0-9]){0,2}(\.[0-9]{0,7})?( ?Z|[+-][0-9:]{2,5})?",
                  fullmatch=True),
    st.text(alphabet="0123456789+-.eE _:TZ/ainftyNxX", max_size=24),
)  # fmt: skip
ODD = (
    "0x1f", "0x10", "0X10", "1e2", "1E2", "1_000", " 1", "1 ",
    "+1", "-0", "--1", "1.", ".5", ".", "-.5", "1.005", "1.2300", "999.999",
    "2147483648", "9223372036854775808", "99999999999999999999999999999999999999", "nan", "NaN", "inf", "-Infinity",
    "1e999", "1e-999", "5e-324", "4.9e-325", "1e39", "1e-46", "true", "TRUE", "t", "F", "yes", "fal\u017fe",
    "0", "1", "2",
    "2013-01-01", "2013-02-29", "2012-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2013-1-1",
    "20130101", "-2013-01-01", "2013-01-01 05", "2013-01-01 05:06", "2013-01-01T05:06:07", "2013-01-01 24:00",
    "2013-01-01 05:06:60", "2013-01-01 05:06:07.", "2013-01-01 05:06:07.1234567", "2013-01-01 05:06:07.1230000",
    "0000-12-31 23:00:00-05", "9999-12-31 23:00:00-05", "9999-12-31 23:59:59.999999", "2013-01-01T05:06Z",
    "2013-01-01 05Z", "2013-01-01 05+06:00", "2013-01-01 05-06:00", "2013-01-01 05:06+06", "2013-01-01 05:06:07-0630",
    "2013-01-01 05:06:07 +06:00", "2013-01-01 05:06:07+99:00", "2013-01-01 05:06:07+24:00", "2013-01-01 05:06:07+05:60",
    "2013-01-01 05:06:07-15:59", "2013-01-01 05:06:07+16:00", "2013-01-01t05:06z", "",
)  # fmt: skip


def value_of(text: str, kind: str) -> Any:
    """What bronze would hold, or ``...`` where the text goes to quarantine."""
    return values_of([text], kind)[0]


def values_of(texts: list[str], kind: str) -> list[Any]:
    rows = ENGINE.execute(
        f"SELECT {is_untypable('c', kind)}, ({typed('c', kind)})::VARCHAR FROM unnest(?::VARCHAR[]) AS t(c)", [texts]
    ).fetchall()
    return [... if row[0] else row[1] for row in rows]


def shown(values: pa.Array) -> list[str | None]:
    found = pa.table({"v": values})
    rows = ENGINE.from_arrow(found).query("found", "SELECT v::VARCHAR FROM found").fetchall()
    return [row[0] for row in rows]


def held(texts: list[str | None], kind: str) -> None:
    convert = typing_of(kind, kind)
    assert convert is not None
    values = convert(pa.array(texts, pa.string()))
    if values is not None:
        assert shown(values) == [None if text is None else value_of(text, kind) for text in texts]


@pytest.mark.parametrize("kind", KINDS)
def test_odd_texts(kind: str) -> None:
    for text in ODD:
        held([text], kind)
        held([text, None], kind)


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(st.none() | PLAUSIBLE, max_size=3))
def test_any_texts(kind: str, texts: list[str | None]) -> None:
    held(texts, kind)


USUAL = {
    "boolean": ["true", "FALSE", "t", "1", None],
    "int": ["1", "-2147483648", "007", None],
    "long": ["9223372036854775807", "007", None],
    "float": ["1.5", "-1e-3", None],
    "double": ["0.14285714285714285", "1e300", None],
    "decimal(5,2)": ["1.2", "-999.99", ".5", None],
    "decimal(38,0)": ["9" * 38, None],
    "date": ["0001-01-01", "9999-12-31", None],
    "timestamp": ["2013-01-01 05:06", "2013-01-01T05:06:07.123456", None],
    "timestamptz": ["2013-01-01T05:06:07Z", "2013-01-01 05:06:07.5Z", None],
}


@pytest.mark.parametrize("kind", KINDS)
def test_usual_texts_are_typed_by_arrow(kind: str) -> None:
    convert = typing_of(kind, kind)
    assert convert is not None
    assert convert(pa.array(USUAL[kind], pa.string())) is not None


@pytest.mark.parametrize("zoned", ["2013-01-01 05:06:07+02", "2013-01-01 05:06:07.5-05:30", "2013-01-01 05:06:07"])
def test_instants_with_and_without_a_zone_are_typed_by_arrow(zoned: str) -> None:
    convert = typing_of("timestamptz", "timestamptz")
    assert convert is not None
    assert convert(pa.array([zoned, None, zoned])) is not None
    assert convert(pa.array(["2013-01-01 05:06:07.25+02", None, "2013-01-01 05:06:07+02"])) is not None


STRAY = [chr(code) for code in range(1, 128)] + ["\u00a0", "\u0661", "\uff11"]
STRUCK = ("int", "long", "float", "double", "decimal(5,2)", "date", "timestamp", "timestamptz")


@pytest.mark.parametrize("kind", STRUCK)
def test_no_stray_character_makes_a_value_that_quarantine_would_hold(kind: str) -> None:
    """A few characters are searched for, not all asked about: here every one is put to every place of a text."""
    convert = typing_of(kind, kind)
    assert convert is not None
    for text in filter(None, USUAL[kind]):
        places = [(text[:at], text[upto:]) for at in range(len(text) + 1) for upto in (at, at + 1)]
        struck = {f"{start}{stray}{end}" for start, end in places for stray in STRAY}
        values = {one: found for one in sorted(struck) if (found := convert(pa.array([one]))) is not None}
        assert shown(pa.concat_arrays(list(values.values()))) == values_of(list(values), kind)


def test_a_declared_type_goes_into_a_wider_live_one() -> None:
    for kind, live in (("int", "long"), ("float", "double"), ("decimal(5,2)", "decimal(9,2)")):
        convert = typing_of(kind, live)
        assert convert is not None
        assert convert(pa.array(["1"])) is not None
    assert typing_of("uuid", "uuid") is None
    assert typing_of("int", "struct<a: int>") is None
