"""Rows of a fixture that stand in a CSV file beside it.

UTF-8 with a header; an empty field is NULL, a quoted empty one is an empty text. A column whose every value is a plain
number, or ``true`` and ``false``, is read as such, as YAML would; ``types`` of the fixture says otherwise.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import TableName
from headwater.model.layout import Layout

if TYPE_CHECKING:
    import pyarrow as pa

Rows = tuple[dict[str, object], ...]
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_ALLOWED = "a .csv file below the folder of the fixture: orders/given.csv"


def read_rows(layout: Layout, table: TableName, name: str, where: Location, typed: frozenset[str]) -> Rows:
    """The rows of the CSV file ``name``, a path below the folder of the table's fixture.

    :param where: where the fixture names it.
    :param typed: columns whose type is declared; their values stay text.
    :raises SpecError: naming the file that is wrong, or the fixture when there is no such file.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or path.suffix != ".csv":
        raise SpecError("this is no CSV file of this fixture", where, got=name[:80], allowed=_ALLOWED)
    file = layout.fixtures(table).parent / path
    if not file.is_file():
        raise SpecError("the CSV file is missing", where, got=name[:80], allowed=layout.display(file))
    display = layout.display(file)
    return _typed(_parsed(layout.text(file), display), typed)


def _parsed(text: str, display: str) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    header = next(csv.reader(io.StringIO(text)), [])
    twice = next((name for name, count in Counter(header).items() if count > 1 or not name), None)
    if twice is not None:
        raise SpecError("a header names each column once", Location(display, 1), got=repr(twice), allowed="other names")
    options = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    layout = arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    try:
        return arrow_csv.read_csv(io.BytesIO(text.encode()), None, layout, options)
    except pa.ArrowInvalid as error:
        allowed = "a header, and rows with as many fields as it has"
        raise SpecError("this is not valid CSV", Location(display), got=str(error)[:200], allowed=allowed) from error


def _typed(table: pa.Table, typed: frozenset[str]) -> Rows:
    columns: dict[str, list[object]] = {}
    for name in table.column_names:
        values = table.column(name).to_pylist()
        columns[name] = values if name in typed else _read(values)
    return tuple(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _read(values: list[str | None]) -> list[object]:
    known = [value for value in values if value is not None]
    if known and all(_INTEGER.fullmatch(value) for value in known):
        return [None if value is None else int(value) for value in values]
    if known and all(_FLOAT.fullmatch(value) for value in known):
        return [None if value is None else float(value) for value in values]
    if known and all(value in {"true", "false"} for value in known):
        return [None if value is None else value == "true" for value in values]
    return list(values)
