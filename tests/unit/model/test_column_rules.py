"""A rule of a column does something, and its default is a value of the column's type."""

from __future__ import annotations

import pytest

from headwater.domain.spec import ColumnRule, Extract, FilesExtract, Silver, SqlExtract, TableSpec
from headwater.model.column_rules import column_findings, fits


def table(extract: Extract, **columns: ColumnRule) -> TableSpec:
    return TableSpec(name="t", key=("k",), extract=extract, silver=Silver(mode="upsert"), columns=columns)


@pytest.mark.parametrize(
    ("rule", "path", "message"),
    [
        (ColumnRule(), (), "does nothing"),
        (ColumnRule(rename=None), (), "does nothing"),
        (ColumnRule(rename="x"), ("rename",), "has this name already"),
        (ColumnRule(rename="X Y"), ("rename",), "no column name"),
        (ColumnRule(type="varchar"), ("type",), "no such type"),
        (ColumnRule(type="int", default="many"), ("default",), "no value of the column's type int"),
    ],
)
def test_a_rule_without_effect_or_sense_is_refused(rule: ColumnRule, path: tuple[str, ...], message: str) -> None:
    ((at, said, got, allowed),) = column_findings(table(SqlExtract(), x=rule))
    assert at == ("columns", "x", *path)
    assert message in said
    assert got
    assert allowed


def test_a_default_is_judged_by_what_the_files_declare() -> None:
    files = FilesExtract(path="in", columns={"k": "int", "x": "date"})
    ((at, *_),) = column_findings(table(files, x=ColumnRule(default=5)))
    assert at == ("columns", "x", "default")
    assert list(column_findings(table(files, x=ColumnRule(default="2013-01-31")))) == []


def test_a_default_of_a_type_nobody_declared_is_left_to_the_source() -> None:
    assert list(column_findings(table(SqlExtract(), x=ColumnRule(default="many")))) == []


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *((True, "boolean"), ("false", "boolean"), (5, "int"), ("-5", "long"), (5, "double"), ("NaN", "float")),
        *((1.5, "decimal(3,1)"), ("99.9", "decimal(3,1)"), (0, "decimal(2,2)"), ("1.50", "decimal(2,1)")),
        *(("2013-01-31", "date"), ("2013-01-31T06:00:00Z", "timestamptz"), ("2013-01-31 06:00:00", "timestamp")),
        *((5, "string"), (True, "string"), ("", "string"), ("a_b", "binary")),
        ("7e1a3d34-5a0c-4a86-9d51-0d2f0e8f8f7b", "uuid"),
    ],
)
def test_a_value_fits(value: str | float | bool, kind: str) -> None:
    assert fits(value, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *((1, "boolean"), ("yes", "boolean"), (True, "int"), (1.5, "int"), (1 << 31, "int"), (1 << 63, "long")),
        *(("", "int"), ("1_000", "int"), ("1_0.5", "double"), ("x", "double"), (True, "double")),
        *((1.55, "decimal(3,1)"), (100, "decimal(3,1)"), ("NaN", "decimal(3,1)"), ("x", "decimal(3,1)")),
        *(("2013-02-30", "date"), ("20130131", "date"), (2013, "date"), ("noon", "timestamp"), ("x", "uuid")),
    ],
)
def test_a_value_does_not_fit(value: str | float | bool, kind: str) -> None:
    assert not fits(value, kind)
