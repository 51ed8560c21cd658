"""The same logical rows give bronze of the same checksum, whatever they were read from."""

from __future__ import annotations

import io
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.sources.landed_under_test import Landed
from tests.integration.sources.mariadb_under_test import MariaTable
from tests.integration.sources.relations_under_test import Relation, Table
from tests.integration.sources.sources_under_test import Source
from tests.integration.sources.subject import Subject

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.sources.digest import content_digest
from headwater.domain.spec import FilesExtract

COLUMNS = {"id": "long", "note": "string", "fare": "decimal(12,3)", "ratio": "double", "at": "timestamp"}
ROWS: list[tuple[int, str | None, str | None, float | None, str | None]] = [
    (1, "plain", "1.250", 0.1, "2013-01-01 00:00:00"),
    (-(2**63), "ä € 😀", "-0.001", 1e300, "1969-12-31 23:59:59.999999"),
    (2**63 - 1, 'comma, quote " and\nline', "999999999.999", -2.5e-10, "9999-12-31 00:00:00.1"),
    (0, None, None, None, None),
]
SQL_TYPES = "id bigint, note text, fare {decimal}(12,3), ratio double precision, at {time}"


def _sql(decimal: str, time: str) -> list[str]:
    def literal(value: Any) -> str:
        if value is None:
            return "null"
        return repr(value) if not isinstance(value, str) else "'" + value.replace("'", "''") + "'"

    values = ", ".join(f"({', '.join(map(literal, row))})" for row in ROWS)
    types = SQL_TYPES.format(decimal=decimal, time=time)
    return ["drop table flights", f"create table flights ({types})", f"insert into flights values {values}"]


def _csv() -> bytes:
    def field(value: Any) -> str:
        return "" if value is None else '"' + str(value).replace('"', '""') + '"'

    return "\n".join([",".join(COLUMNS), *(",".join(map(field, row)) for row in ROWS)]).encode()


def _objects() -> list[str]:
    return [json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in ROWS]


def _json() -> bytes:
    return f"[{','.join(_objects())}]".encode()


def _parquet() -> bytes:
    ids, notes, fares, ratios, moments = zip(*ROWS, strict=True)
    content = io.BytesIO()
    table = pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "note": pa.array(notes),
            "fare": pa.array([Decimal(fare) if fare else None for fare in fares], pa.decimal128(12, 3)),
            "ratio": pa.array(ratios, pa.float64()),
            "at": pa.array([datetime.fromisoformat(at) if at else None for at in moments], pa.timestamp("us")),
        }
    )
    pq.write_table(table, content)
    return content.getvalue()


FILES = {
    "csv": _csv,
    "jsonl": lambda: "\n".join(_objects()).encode(),
    "json": _json,
    "parquet": _parquet,
}


def _subject(kind: str, request: pytest.FixtureRequest, folder: Path) -> Subject:
    if kind == "postgres":
        source: Source = request.getfixturevalue("source")
        relation = Relation(source)
        source.sql(*_sql("numeric", "timestamp"))
        return relation
    if kind == "mariadb":
        maria = MariaTable(request.getfixturevalue("mariadb"), folder)
        # a backslash means nothing else to other engines; six digits of a second are asked for, not given
        maria.sql(*_sql("decimal", "datetime(6)"))
        return maria
    if kind == "sqlite":
        table = Table(folder)
        for statement in _sql("decimal", "datetime"):
            table.sql(statement)
        return table
    landed = Landed(folder, kind)
    extract = FilesExtract.model_validate({"path": "flights", "columns": COLUMNS, "format": kind})
    landed.table = landed.table.model_copy(update={"extract": extract})
    landed.put(f"flights/a.{kind}", FILES[kind]())
    return landed


def _checksum(subject: Subject) -> str:
    extracted = subject.run()
    assert (extracted.rows, extracted.rejected) == (len(ROWS), 0)
    with writer() as engine:
        return content_digest(engine, subject.schema(), extracted.files, ())


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "sqlite", "jsonl", "json", "parquet"])
def test_the_checksum_is_that_of_the_same_rows_in_csv(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    for name in ("csv", kind):
        (tmp_path / f"of-{name}").mkdir()
    csv = _checksum(_subject("csv", request, tmp_path / "of-csv"))
    assert _checksum(_subject(kind, request, tmp_path / f"of-{kind}")) == csv
