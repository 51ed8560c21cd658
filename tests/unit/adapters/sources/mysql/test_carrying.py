"""Every declared type of MySQL and MariaDB has one Iceberg type, and a way to arrive that loses nothing."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.sources.mysql.carrying import SourceColumn


def column(declared: str, collation: str | None = None, name: str = "v") -> SourceColumn:
    return SourceColumn(name, declared.partition("(")[0].partition(" ")[0], declared, collation=collation)


TYPES = [
    ("tinyint(1)", "int"),
    ("tinyint(3) unsigned", "int"),
    ("smallint(5) unsigned", "int"),
    ("mediumint(8) unsigned", "int"),
    ("int(11)", "int"),
    ("int unsigned", "long"),
    ("int(5) unsigned zerofill", "long"),
    ("bigint(20)", "long"),
    ("bigint unsigned", "decimal(20,0)"),
    ("year(4)", "int"),
    ("bit(1)", "boolean"),
    ("bit(2)", "long"),
    ("bit(63)", "long"),
    ("bit(64)", "decimal(20,0)"),
    ("decimal(10,2)", "decimal(10,2)"),
    ("decimal(38,38) unsigned", "decimal(38,38)"),
    ("decimal(39,0)", "string"),
    ("decimal(65,30)", "string"),
    ("float", "float"),
    ("float(7,4)", "float"),
    ("double", "double"),
    ("date", "date"),
    ("datetime(6)", "timestamp"),
    ("timestamp", "timestamptz"),
    ("time(6)", "string"),
    ("enum('unsigned','bit(1)')", "string"),
    ("json", "string"),
    ("varchar(20)", "string"),
    ("varbinary(20)", "binary"),
    ("longblob", "binary"),
    ("polygon", "binary"),
    ("inet6", "string"),
    ("vector(3)", "string"),
]


@pytest.mark.parametrize(("declared", "kind"), TYPES)
def test_a_declared_type_has_one_iceberg_type(declared: str, kind: str) -> None:
    assert column(declared).type == kind


@pytest.mark.parametrize(
    ("declared", "collation", "expression"),
    [
        ("int", None, "t.`v`"),
        ("bit(3)", None, "t.`v` + 0"),
        ("point", None, "HEX(t.`v`)"),
        ("decimal(10,2) unsigned", None, "CAST(t.`v` AS CHAR)"),
        ("datetime(6)", None, "CAST(t.`v` AS CHAR)"),
        ("text", "utf8mb4_general_ci", "t.`v`"),
        ("text", "utf8mb4_bin", "CAST(t.`v` AS CHAR)"),
        ("json", None, "CAST(t.`v` AS CHAR)"),
        ("blob", None, "t.`v`"),
    ],
)
def test_what_the_reader_would_change_travels_as_text(declared: str, collation: str | None, expression: str) -> None:
    assert column(declared, collation).expression() == expression


def test_a_name_is_quoted() -> None:
    assert column("int", name="a`b").expression() == "t.`a``b`"


def test_a_collation_says_whether_a_key_may_be_written_in_several_ways() -> None:
    found = {name: column("text", name).ignores_case for name in ("utf8mb4_general_ci", "utf8mb4_bin", "latin1_cs")}
    assert found == {"utf8mb4_general_ci": True, "utf8mb4_bin": False, "latin1_cs": False}
    assert not column("int").ignores_case


def asked(declared: str, text: str) -> tuple[object, object, object]:
    """Whether a text is no value of the type; its value; its value where those that are none become NULL."""
    kind = column(declared)
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        row = engine.execute(
            f"SELECT {kind.is_untypable('c')}, {kind.value('c')}::VARCHAR, {kind.value_or_null('c')}::VARCHAR "
            f"FROM (SELECT c, {kind.parsed('c')} FROM (SELECT ?::VARCHAR AS c))",
            [text],
        ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


@pytest.mark.parametrize("declared", ["date", "datetime(6)", "timestamp"])
@pytest.mark.parametrize("text", ["0000-00-00", "2013-00-15", "2013-02-00", "2013-02-31", "0000-01-01", "2013-13-01"])
def test_what_is_no_day_is_untypable(declared: str, text: str) -> None:
    moment = text if declared == "date" else f"{text} 00:00:00"
    unfit, _, or_null = asked(declared, moment)
    assert (unfit, or_null) == (True, None)


@given(st.datetimes())
def test_every_moment_of_a_calendar_arrives_to_the_microsecond(moment: object) -> None:
    text = str(moment) if "." in str(moment) else f"{moment}.000000"
    for declared, zone in (("datetime(6)", ""), ("timestamp(6)", "+00")):
        unfit, value, or_null = asked(declared, text)
        assert not unfit
        assert value == or_null
        assert str(value).removesuffix(zone).ljust(26, "0") == (text if "." in str(value) else text[:19].ljust(26, "0"))


def test_types_without_such_texts_are_not_asked() -> None:
    assert [column(kind).is_untypable("c") for kind in ("int", "text", "time", "decimal(65,30)")] == [None] * 4
