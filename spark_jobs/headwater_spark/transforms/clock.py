"""The only clock of a transform: ``:planned_at`` (rule 37)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

import sqlglot

_NAME = "planned_at"
_VALUE = re.compile(r"[\w`)\]]")


def bind_clock(sql: str, planned_at: datetime) -> str:
    """The text with every ``:planned_at`` replaced by that instant, every line kept in its place.

    Not by ``spark.sql(…, args=…)``: the parser of Iceberg's Spark extensions, which wraps Spark's, takes no
    parameters, and every use ends as UNBOUND_SQL_PARAMETER.
    """
    literal = f"TIMESTAMP '{planned_at.astimezone(UTC).isoformat(sep=' ', timespec='microseconds')}'"
    tokens = sqlglot.tokenize(sql, read="spark")
    cuts = [
        (colon.start, name.end + 1)
        for colon, name in pairwise(tokens)
        if colon.token_type.name == "COLON"
        and name.text == _NAME
        and name.start == colon.end + 1
        # value:planned_at takes a field out of a variant
        and not _VALUE.match(sql, colon.start - 1)
    ]
    for start, end in reversed(cuts):
        sql = sql[:start] + literal + sql[end:]
    return sql
