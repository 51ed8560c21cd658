"""The files a YAML file needs beside it: SQL, contracts, fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from headwater.domain.names import Layer, TableName
from headwater.domain.spec import TableSpec
from headwater.model.layout import Layout, checked_name
from headwater.model.schedules import Finding


def read_sql(layout: Layout, table: TableName) -> str | None:
    """The text of a table's SQL file; None where there is none.

    :raises SpecError: when it cannot be read.
    """
    file = layout.sql_path(table)
    return layout.text(Path(file)) if os.path.isfile(file) else None  # noqa: PTH113 - see _missing


def missing_of_table(layout: Layout, source: str, table: TableSpec) -> Iterator[Finding]:
    """Files a table of a source lacks: two contracts, and a fixture when it has SQL or expressions."""
    silver = checked_name(Layer.SILVER, source, table.name)
    bronze = checked_name(Layer.BRONZE, source, table.name)
    yield from _missing(layout, layout.contract_path(bronze), "bronze contract", table.name)
    yield from _missing(layout, layout.contract_path(silver), "silver contract", table.name)
    if needs_fixture(table):
        yield from _missing(layout, layout.fixtures_path(silver), "fixture", table.name)


def missing_of_gold(layout: Layout, table: TableName, *, by_sql: bool) -> Iterator[Finding]:
    """Files a gold table lacks; a SQL file beside a Python function is one too many."""
    if by_sql:
        yield from _missing(layout, layout.sql_path(table), "SQL", table.table)
    elif os.path.isfile(layout.sql_path(table)):  # noqa: PTH113 - see _missing
        message = f"{table.table!r} is made by a Python function, and there is a SQL file of its name"
        yield ("transform",), message, layout.display(layout.sql(table)), "one of the two"
    yield from _missing(layout, layout.contract_path(table), "contract", table.table)
    yield from _missing(layout, layout.fixtures_path(table), "fixture", table.table)


def needs_fixture(table: TableSpec) -> bool:
    """Whether a table of a source has a transform of its own that a test must hold."""
    return table.is_shaped_by_code or any(rule.expression is not None for rule in table.columns.values())


def _missing(layout: Layout, file: str, what: str, name: str) -> Iterator[Finding]:
    if not os.path.isfile(file):  # noqa: PTH113 - a third of the cost of Path.is_file, paid per file and parse
        yield (), f"the {what} file of {name!r} is missing", "no such file", layout.display(Path(file))
