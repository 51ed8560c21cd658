"""A CSV file becomes typed rows where that is sure, block by block, and records of texts everywhere else."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from headwater.adapters.sources.files.csv_blocks import Block, Look
from headwater.adapters.sources.files.fast_csv import FastCsv
from headwater.adapters.sources.files.lines import Encoding, LoneReturnError, utf8_blocks
from headwater.adapters.sources.files.records import CsvFormat, CsvRecords
from headwater.adapters.sources.files.shape import Shape
from headwater.adapters.sources.files.typed_fields import TypedFields
from headwater.adapters.sources.files.unpacking import Part
from headwater.adapters.sources.texts import Record, TextFile, numbers
from headwater.adapters.sources.typed_rows import TypedRows

if TYPE_CHECKING:
    import pyarrow as pa

_AHEAD = 10
"""Blocks of a MiB that are looked at while a row group, about as many, is written."""


@dataclass(frozen=True, slots=True)
class CsvReader:
    """Reads the CSV files of one table. ``pool`` looks at blocks while others are written."""

    pool: Executor
    rows: TypedRows

    def read(self, part: Part, shape: Shape, target: TextFile) -> None:
        """Take every record of the file: a typed row to ``rows``, any other, whole or broken, to ``target``.

        :raises SchemaDriftError: when the header is not what the YAML declares.
        :raises LoneReturnError: when the header, or all there is of a file without one, holds a carriage return.
        :raises RecordTooLongError: when a record is longer than ``max_record_bytes``.
        """
        extract = shape.landing.extract
        form, encoding = CsvFormat(extract), Encoding(extract.encoding)
        blocks = utf8_blocks(part.content, encoding, extract.max_record_bytes)
        records = CsvRecords(form, encoding, map(encoding.text_of, blocks), extract.max_record_bytes)
        places: list[int | None] = list(range(len(shape.names)))
        width = len(places)
        if extract.header:
            header, rest = _first(records)
            if header is None:
                return
            places, width = _header(header, shape), len(header.fields or ())
            blocks = chain([encoding.block_of(rest)] if rest else [], blocks)
        fast = FastCsv(form, width, extract.max_record_bytes)
        looked = self._looked_at(blocks, Look(fast, TypedFields.of(shape, places, self.rows.schema)))
        records.more = (encoding.text_of(block) for block, _ in looked)
        taker, before, last = _Taker(part, shape, places, width, target), target.written, None
        for block, found in looked:
            if found.typed is not None:
                rows = len(found.typed[0])
                self.rows.add(found.typed, f"{shape.landing.connection}:{part.name}", target.pass_over(rows))
                records.skip(rows)
            elif found.texts is not None:
                taker.columns(found.texts, records.line)
                records.skip(len(found.texts[0]))
            else:
                last = taker.records(records.of(encoding.text_of(block)))
        if last is not None and not extract.header and target.written - before == 1:
            _check_lines(last, extract.quote)

    def _looked_at(self, blocks: Iterator[bytes], look: Look) -> Iterator[tuple[bytes, Block]]:
        waiting: deque[Future[list[tuple[bytes, Block]]]] = deque()
        for block in blocks:
            waiting.append(self.pool.submit(look.at, block))
            if len(waiting) > _AHEAD:
                yield from waiting.popleft().result()
        for rest in waiting:
            yield from rest.result()


def _first(records: CsvRecords) -> tuple[Record | None, str]:
    """The header, and what is left of its block."""
    for block in records.more:
        for record in records.of(block):
            return record, records.give_back()
    return None, ""


def _header(record: Record, shape: Shape) -> list[int | None]:
    """:raises LoneReturnError: when it would be the whole file, and a table that bears any columns lose its rows."""
    _check_lines(record, shape.landing.extract.quote)
    return shape.places([name or "" for name in record.fields or ()], record.raw or "")


def _check_lines(record: Record, quote: str) -> None:
    """:raises LoneReturnError: when the record goes on after a carriage return outside of quotes."""
    sign, text = re.escape(quote), record.raw or ""
    if "\r" in (re.sub(f"{sign}[^{sign}]*{sign}", "", text) if quote else text):
        raise LoneReturnError


@dataclass(frozen=True, slots=True)
class _Taker:
    """Hands on what is still to be judged."""

    part: Part
    shape: Shape
    places: list[int | None]
    width: int
    target: TextFile

    def records(self, records: Iterator[Record]) -> Record | None:
        """Records one by one; returns the last."""
        name, add, record = self.part.name, self.target.add, None
        for record in records:
            if record.fields is None:
                add(name, record)
            elif len(record.fields) != self.width:
                add(name, Record(record.place, None, record.raw, "field_count"))
            else:
                add(name, Record(record.place, self.shape.row(record.fields, self.places)))
        return record

    def columns(self, columns: list[pa.Array], line: int) -> None:
        """Records of one line each, behind so many lines."""
        import pyarrow as pa

        rows, constants = len(columns[0]), self.shape.constants
        found = iter([pa.nulls(rows, pa.string()) if place is None else columns[place] for place in self.places])
        every = [
            pa.repeat(pa.scalar(constants[name], pa.string()), rows) if name in constants else next(found)
            for name in self.shape.landing.extract.columns
        ]
        self.target.add_columns(self.part.name, every, numbers(line + 1, rows))
