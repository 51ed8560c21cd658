"""Every type of Oracle: its Iceberg type, its declaration, and the SQL it is asked for with."""

from __future__ import annotations

import pytest

from headwater.adapters.sources.oracle.carrying import carried, number_type

DAY = "SYYYY-MM-DD HH24:MI:SS"
TYPES = [
    # type, length, precision, scale -> Iceberg type, declared, form
    ("NUMBER", 22, 9, 0, "int", "NUMBER(9,0)", "TO_CHAR(x, 'TM9')"),
    ("NUMBER", 22, 12, 2, "decimal(12,2)", "NUMBER(12,2)", "TO_CHAR(x, 'TM9')"),
    ("NUMBER", 22, None, 0, "decimal(38,0)", "NUMBER(*,0)", "TO_CHAR(x, 'TM9')"),
    ("NUMBER", 22, None, None, "string", "NUMBER", r"REGEXP_REPLACE(TO_CHAR(x, 'TM9'), '^(-?)\.', '\10.')"),
    ("FLOAT", 22, 126, None, "string", "FLOAT(126)", r"REGEXP_REPLACE(TO_CHAR(x, 'TM9'), '^(-?)\.', '\10.')"),
    ("BINARY_FLOAT", 4, None, None, "float", "BINARY_FLOAT", "x"),
    ("BINARY_DOUBLE", 8, None, None, "double", "BINARY_DOUBLE", "x"),
    ("DATE", 7, None, None, "timestamp", "DATE", f"LTRIM(TO_CHAR(x, '{DAY}'))"),
    ("TIMESTAMP(0)", 7, None, 0, "timestamp", "TIMESTAMP(0)", f"LTRIM(TO_CHAR(x, '{DAY}'))"),
    ("TIMESTAMP(6)", 11, None, 6, "timestamp", "TIMESTAMP(6)", f"LTRIM(TO_CHAR(x, '{DAY}.FF6'))"),
    (
        "TIMESTAMP(9) WITH TIME ZONE", 13, None, 9, "timestamptz", "TIMESTAMP(9) WITH TIME ZONE",
        f"LTRIM(TO_CHAR(SYS_EXTRACT_UTC(x), '{DAY}.FF9'))",
    ),
    (
        "TIMESTAMP(3) WITH LOCAL TIME ZONE", 11, None, 3, "timestamptz", "TIMESTAMP(3) WITH LOCAL TIME ZONE",
        f"LTRIM(TO_CHAR(x, '{DAY}.FF3'))",
    ),
    ("INTERVAL DAY(2) TO SECOND(6)", 11, 2, 6, "string", "INTERVAL DAY(2) TO SECOND(6)", "TO_CHAR(x)"),
    ("INTERVAL YEAR(4) TO MONTH", 5, 4, 0, "string", "INTERVAL YEAR(4) TO MONTH", "TO_CHAR(x)"),
    ("CHAR", 3, None, None, "string", "CHAR(3)", "x"),
    ("VARCHAR2", 40, None, None, "string", "VARCHAR2(40)", "x"),
    ("NVARCHAR2", 40, None, None, "string", "NVARCHAR2(40)", "x"),
    ("CLOB", 4000, None, None, "string", "CLOB", "x"),
    ("NCLOB", 4000, None, None, "string", "NCLOB", "x"),
    ("LONG", 0, None, None, "string", "LONG", "x"),
    ("RAW", 16, None, None, "binary", "RAW(16)", "x"),
    ("LONG RAW", 0, None, None, "binary", "LONG RAW", "x"),
    ("BLOB", 4000, None, None, "binary", "BLOB", "x"),
    ("ROWID", 10, None, None, "string", "ROWID", "ROWIDTOCHAR(x)"),
    ("UROWID", 4000, None, None, "string", "UROWID", "CAST(x AS VARCHAR2(4000))"),
    ("XMLTYPE", 2000, None, None, "string", "XMLTYPE", "XMLSERIALIZE(CONTENT x AS CLOB)"),
    ("JSON", 8200, None, None, "string", "JSON", "JSON_SERIALIZE(x RETURNING CLOB)"),
    ("VECTOR", 8200, None, None, "string", "VECTOR", "FROM_VECTOR(x RETURNING CLOB)"),
    ("BOOLEAN", 1, None, None, "boolean", "BOOLEAN", "CASE WHEN x THEN '1' WHEN NOT x THEN '0' END"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "length", "precision", "scale", "iceberg", "declared", "form"), TYPES)
def test_a_type_is_carried(
    kind: str, length: int, precision: int | None, scale: int | None, iceberg: str, declared: str, form: str
) -> None:
    column = carried("A", kind, length, precision, scale, nullable=True)
    assert (column.type, column.source_type, column.form.format("x")) == (iceberg, declared, form)
    assert column.problem is None
    assert not column.required


@pytest.mark.parametrize(
    ("precision", "scale", "kind"),
    [
        (9, 0, "int"),
        (10, 0, "long"),
        (18, 0, "long"),
        (19, 0, "decimal(19,0)"),
        (38, 0, "decimal(38,0)"),
        (5, -2, "decimal(7,0)"),
        (2, 5, "decimal(5,5)"),
        (38, 127, "string"),
        (38, -84, "string"),
        (None, None, "string"),
        (None, 4, "decimal(38,4)"),
    ],
)
def test_a_number_is_as_wide_as_its_values(precision: int | None, scale: int | None, kind: str) -> None:
    """NUMBER(5,-2) holds 12345 * 100, NUMBER(2,5) holds 0.00099; without a scale there is no decimal of all."""
    assert number_type(precision, scale) == kind


@pytest.mark.parametrize("kind", ["BFILE", "SDO_GEOMETRY", "ANYDATA", "ADDRESS_TYPE"])
def test_objects_are_refused(kind: str) -> None:
    assert carried("A", kind, 1, None, None, nullable=True).problem


@pytest.mark.parametrize("kind", ["BINARY_FLOAT", "BINARY_DOUBLE", "DATE", "TIMESTAMP(6)"])
def test_types_with_values_that_no_other_holds_tell_them(kind: str) -> None:
    assert carried("A", kind, 8, None, None, nullable=True).beyond
