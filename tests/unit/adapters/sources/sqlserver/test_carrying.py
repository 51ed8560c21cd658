"""Every type of SQL Server: its Iceberg type, its declaration, and the SQL it is asked for with."""

from __future__ import annotations

import pytest

from headwater.adapters.sources.queried.columns import Moments
from headwater.adapters.sources.sqlserver.carrying import carried

TYPES = [
    # type, max_length, precision, scale -> Iceberg type, declared, form
    ("bit", 1, 1, 0, "boolean", "bit", "CONVERT(varchar(20), x)"),
    ("tinyint", 1, 3, 0, "int", "tinyint", "CONVERT(varchar(20), x)"),
    ("smallint", 2, 5, 0, "int", "smallint", "CONVERT(varchar(20), x)"),
    ("int", 4, 10, 0, "int", "int", "CONVERT(varchar(20), x)"),
    ("bigint", 8, 19, 0, "long", "bigint", "CONVERT(varchar(20), x)"),
    ("decimal", 17, 38, 38, "decimal(38,38)", "decimal(38,38)", "CONVERT(varchar(41), x)"),
    ("numeric", 9, 12, 2, "decimal(12,2)", "numeric(12,2)", "CONVERT(varchar(41), x)"),
    ("money", 8, 19, 4, "decimal(19,4)", "money", "CONVERT(varchar(40), x, 2)"),
    ("smallmoney", 4, 10, 4, "decimal(10,4)", "smallmoney", "CONVERT(varchar(40), x, 2)"),
    ("real", 4, 24, 0, "float", "real", "CONVERT(varchar(40), x, 3)"),
    ("float", 8, 53, 0, "double", "float", "CONVERT(varchar(40), x, 3)"),
    ("date", 3, 10, 0, "date", "date", "CONVERT(char(10), x, 23)"),
    ("smalldatetime", 4, 16, 0, "timestamp", "smalldatetime", "CONVERT(char(19), x, 120)"),
    ("datetime", 8, 23, 3, "timestamp", "datetime", "CONVERT(char(23), x, 121)"),
    ("datetime2", 8, 27, 7, "timestamp", "datetime2(7)", "CONVERT(varchar(27), x, 121)"),
    (
        "datetimeoffset", 10, 34, 7, "timestamptz", "datetimeoffset(7)",
        "CONVERT(varchar(27), CONVERT(datetime2(7), SWITCHOFFSET(x, '+00:00')), 121)",
    ),
    ("time", 5, 16, 7, "string", "time(7)", "CONVERT(varchar(16), x, 121)"),
    ("char", 10, 0, 0, "string", "char(10)", "CONVERT(nvarchar(max), x)"),
    ("varchar", -1, 0, 0, "string", "varchar(max)", "CONVERT(nvarchar(max), x)"),
    ("nchar", 20, 0, 0, "string", "nchar(10)", "x"),
    ("nvarchar", 80, 0, 0, "string", "nvarchar(40)", "x"),
    ("text", 16, 0, 0, "string", "text", "CONVERT(nvarchar(max), x)"),
    ("ntext", 16, 0, 0, "string", "ntext", "CONVERT(nvarchar(max), x)"),
    ("xml", -1, 0, 0, "string", "xml", "CONVERT(nvarchar(max), x)"),
    ("json", -1, 0, 0, "string", "json", "CONVERT(nvarchar(max), x)"),
    ("vector", -1, 0, 0, "string", "vector", "CONVERT(nvarchar(max), x)"),
    ("uniqueidentifier", 16, 0, 0, "string", "uniqueidentifier", "LOWER(CONVERT(char(36), x))"),
    ("hierarchyid", 892, 0, 0, "string", "hierarchyid", "x.ToString()"),
    ("binary", 8, 0, 0, "binary", "binary(8)", "CONVERT(varbinary(max), x)"),
    ("varbinary", -1, 0, 0, "binary", "varbinary(max)", "CONVERT(varbinary(max), x)"),
    ("image", 16, 0, 0, "binary", "image", "CONVERT(varbinary(max), x)"),
    ("timestamp", 8, 0, 0, "binary", "rowversion", "CONVERT(varbinary(max), x)"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "length", "precision", "scale", "iceberg", "declared", "form"), TYPES)
def test_a_type_is_carried(
    kind: str, length: int, precision: int, scale: int, iceberg: str, declared: str, form: str
) -> None:
    column = carried("a", kind, length, precision, scale, nullable=False)
    assert (column.type, column.source_type, column.form.format("x")) == (iceberg, declared, form)
    assert column.problem is None
    assert column.required


@pytest.mark.parametrize("kind", ["geometry", "geography"])
def test_shapes_are_srid_and_wkb_as_mysql_has_them(kind: str) -> None:
    column = carried("a", kind, -1, 0, 0, nullable=True)
    assert column.type == "binary"
    assert column.form.format("x").startswith("CONVERT(binary(1), x.STSrid % 256) + CONVERT(binary(1), x.STSrid / 256")
    assert column.form.format("x").endswith(" + x.AsBinaryZM()")


@pytest.mark.parametrize("kind", ["sql_variant", "phone_number"])
def test_what_has_no_type_of_its_own_is_refused(kind: str) -> None:
    assert carried("a", kind, 16, 0, 0, nullable=True).problem


def test_only_versions_count() -> None:
    assert carried("a", "timestamp", 8, 0, 0, nullable=False).counts
    assert not carried("a", "binary", 8, 0, 0, nullable=False).counts


def test_the_offset_of_an_instant_is_said_to_be_left_behind() -> None:
    assert "offset" in (carried("a", "datetimeoffset", 10, 34, 7, nullable=True).note or "")


@pytest.mark.parametrize(
    ("kind", "scale", "moments"),
    [
        ("date", 0, Moments("day")),
        ("smalldatetime", 0, Moments("minute")),
        ("datetime", 3, Moments("third of 10 ms")),
        ("datetime2", 0, Moments("fraction", 0)),
        ("datetimeoffset", 7, Moments("fraction", 7)),
        ("time", 7, None),
    ],
)
def test_cursors_step_as_their_type_does(kind: str, scale: int, moments: Moments | None) -> None:
    assert carried("a", kind, 8, 0, scale, nullable=True).moments == moments
