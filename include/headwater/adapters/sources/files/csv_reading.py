"""A CSV file becomes records of texts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from headwater.adapters.sources.files.fast_csv import FastCsv, lines_of
from headwater.adapters.sources.files.lines import Encoding, blocks
from headwater.adapters.sources.files.records import CsvFormat, CsvRecords
from headwater.adapters.sources.files.shape import Shape
from headwater.adapters.sources.files.unpacking import Part
from headwater.adapters.sources.texts import Record, TextFile, numbers


def read_csv(part: Part, shape: Shape, target: TextFile) -> None:
    """Take every record of the file, whole or broken.

    :raises SchemaDriftError: when the header is not what the YAML declares.
    :raises RecordTooLongError: when a record is longer than ``max_record_bytes``.
    """
    extract = shape.landing.extract
    form, encoding = CsvFormat(extract), Encoding(extract.encoding)
    more = blocks(part.content, encoding, extract.max_record_bytes)
    records = CsvRecords(form, encoding, more, extract.max_record_bytes)
    places: list[int | None] = list(range(len(shape.names)))
    width, rest = len(places), ""
    if extract.header:
        header, rest = _first(records, more)
        if header is None:
            return
        places, width = _header(header, shape), len(header.fields or ())
    fast = FastCsv(form, width, extract.max_record_bytes)
    for block in chain([rest] if rest else [], more):
        columns = fast.columns(block)
        if columns is None:
            _take(records.of(block), part, shape, places, width, target)
        else:
            _take_columns(columns, records.line, part, shape, places, target)
            records.skip(lines_of(block))


def _first(records: CsvRecords, more: Iterator[str]) -> tuple[Record | None, str]:
    """The header, and what is left of its block."""
    for block in more:
        for record in records.of(block):
            return record, records.give_back()
    return None, ""


def _header(record: Record, shape: Shape) -> list[int | None]:
    return shape.places([name or "" for name in record.fields or ()], record.raw or "")


def _take(
    records: Iterator[Record], part: Part, shape: Shape, places: list[int | None], width: int, target: TextFile
) -> None:
    for record in records:
        if record.fields is None:
            target.add(part.name, record)
        elif len(record.fields) != width:
            target.add(part.name, Record(record.place, None, record.raw, "field_count"))
        else:
            target.add(part.name, Record(record.place, shape.row(record.fields, places)))


def _take_columns(
    columns: list[object], line: int, part: Part, shape: Shape, places: list[int | None], target: TextFile
) -> None:
    import pyarrow as pa

    rows = len(columns[0])  # type: ignore[arg-type]  # Arrow arrays, without stubs
    found = iter([pa.nulls(rows, pa.string()) if place is None else columns[place] for place in places])
    every = [
        pa.repeat(pa.scalar(shape.constants[name], pa.string()), rows) if name in shape.constants else next(found)
        for name in shape.landing.extract.columns
    ]
    target.add_columns(part.name, every, numbers(line + 1, rows))
