"""Rows of a source that cannot be taken as they are, or only look as if they could not."""

from __future__ import annotations

from tests.bad_input.bad_input import WrongData

MISSING, VANISHED, KEY = "source table missing", "column vanished", "primary key null or doubled"
NUMERICS, CURSOR, DATES, UTF8 = (
    "NaN and infinity in numerics",
    "cursor NULL or in year 9999",
    "dates out of range",
    "invalid UTF-8",
)
AT_SOURCE = "at the source"
INCREMENTAL = "{mode: incremental, cursor: updated}"
WITH_CURSOR = "create table orders (id int primary key, updated timestamptz)"
LANDING = (
    "{kind: files, path: in/*.csv, columns: {id: int, fare: double, day: date, note: string}, max_quarantined_share: 1}"
)
HEADER = b"id,fare,day,note\n"


def refused(rule: str, case: str, code: str, *source: str, **more: object) -> WrongData:
    """Nothing is taken; what bronze held before stays as it was."""
    return WrongData(rule, case, source, code=code, rows=AT_SOURCE, **more)  # type: ignore[arg-type]


def aside(rule: str, case: str, code: str, *source: str, rows: str = "1, 3", **more: object) -> WrongData:
    """One row cannot be carried; its neighbours are in bronze."""
    told = f"bronze: {rows}; quarantine: {code}"
    return WrongData(rule, case, source, outcome="set aside", code=code, exit_status=0, rows=told, **more)  # type: ignore[arg-type]


def carried(rule: str, case: str, rows: str, *source: str, **more: object) -> WrongData:
    """All rows are in bronze as they are."""
    told = {"outcome": "carried", "code": None, "exit_status": 0, "rows": f"bronze: {rows}"}
    return WrongData(rule, case, source, **(told | more))  # type: ignore[arg-type]


def one_odd(kind: str, value: str) -> tuple[str, str]:
    """Three rows; the second has the value."""
    return (
        f"create table orders (id int primary key, v {kind})",
        f"insert into orders values (1, null), (2, {value}), (3, null)",
    )


WRONG_DATA = (
    refused(MISSING, "no such relation", "source_table_missing", "create table ordres (id int)"),
    refused(
        MISSING, "relation dropped after a first run", "source_table_missing",
        "create table orders (id int primary key)", "insert into orders values (1)", then=("drop table orders",),
    ),
    refused(MISSING, "no such landing folder", "source_table_missing", extract=LANDING.replace("in/", "nowhere/"),
            landed={"a.csv": HEADER}),
    refused(VANISHED, "the key", "schema_drift", "create table orders (number int)"),
    refused(VANISHED, "the cursor", "schema_drift", "create table orders (id int)", extract=INCREMENTAL),
    refused(
        VANISHED, "another column, after a first run", "schema_drift",
        "create table orders (id int primary key, note text)", "insert into orders values (1, 'a')",
        then=("alter table orders drop column note", "insert into orders values (2)"),
    ),
    refused(VANISHED, "a column of a file", "schema_drift", extract=LANDING,
            landed={"a.csv": b"id,fare,note\n1,1,x\n"}),
    aside(KEY, "null", "null_key:id", "create table orders (id int)", "insert into orders values (1), (null), (3)"),
    carried(
        KEY, "doubled: silver keeps the later of the two", "1, 2, 2",
        "create table orders (id int, note text)", "insert into orders values (1, 'a'), (2, 'b'), (2, 'c')",
        also="tests/spark/test_refine.py::test_upsert_keeps_the_greatest_sequence_and_leaves_main_alone",
    ),
    carried(
        KEY, "doubled where silver appends: the second goes to quarantine", "1, 2, 2",
        "create table orders (id int, note text)", "insert into orders values (1, 'a'), (2, 'b'), (2, 'c')",
        also="tests/spark/test_refine.py::test_append_drops_redeliveries_and_sets_contradictions_aside",
    ),
    aside(NUMERICS, "NaN in numeric(10,2)", "non_finite:v", *one_odd("numeric(10,2)", "'NaN'")),
    aside(NUMERICS, "infinity in numeric", "non_finite:v", *one_odd("numeric", "'Infinity'")),
    aside(NUMERICS, "NaN in double precision", "non_finite:v", *one_odd("double precision", "'NaN'")),
    aside(NUMERICS, "-infinity in real", "non_finite:v", *one_odd("real", "'-Infinity'")),
    refused(NUMERICS, "NaN by policy stop", "source_data", *one_odd("double precision", "'NaN'"),
            extract="{mode: snapshot, non_finite: stop}"),
    carried(NUMERICS, "NaN by policy null", "1, 2, 3", *one_odd("double precision", "'NaN'"),
            extract="{mode: snapshot, non_finite: 'null'}"),
    aside(CURSOR, "NULL", "null_cursor:updated", WITH_CURSOR,
          "insert into orders values (1, '2013-01-01'), (2, null), (3, '2013-01-02')", extract=INCREMENTAL),
    aside(CURSOR, "year 9999", "future_cursor:updated", WITH_CURSOR,
          "insert into orders values (1, '2013-01-01'), (2, '9999-12-31'), (3, '2013-01-02')", extract=INCREMENTAL),
    refused(CURSOR, "NULL by policy stop", "source_data", WITH_CURSOR, "insert into orders values (2, null)",
            extract=INCREMENTAL.replace("}", ", bad_cursor: stop}")),
    aside(DATES, "year 44 BC", "out_of_range:v", *one_odd("timestamptz", "'0044-03-15 BC'")),
    aside(DATES, "infinity", "out_of_range:v", *one_odd("date", "'infinity'")),
    aside(DATES, "-infinity", "out_of_range:v", *one_odd("timestamp", "'-infinity'")),
    aside(DATES, "year 10000", "out_of_range:v", *one_odd("date", "'10000-01-01'")),
    aside(DATES, "30 February in a file", "untypable:day", extract=LANDING,
          landed={"a.csv": HEADER + b"1,1,2013-01-01,x\n2,1,2013-02-30,x\n3,1,,x\n"}),
    aside(NUMERICS, "NaN in a file", "untypable:fare", extract=LANDING,
          landed={"a.csv": HEADER + b"1,1,2013-01-01,x\n2,NaN,2013-01-02,x\n3,1,,x\n"}),
    aside(UTF8, "bytes in a CSV line", "invalid_utf8", extract=LANDING,
          landed={"a.csv": HEADER + b"1,1,2013-01-01,x\n2,1,2013-01-02,\xff\n3,1,,x\n"}),
    refused(UTF8, "bytes in a SQL_ASCII database", "source_data", "create table orders (id int primary key, note text)",
            r"insert into orders values (1, 'a'), (2, E'caf\377')", encoding="SQL_ASCII"),
)  # fmt: skip
