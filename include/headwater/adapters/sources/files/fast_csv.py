"""Blocks of CSV without anything unusual, read by pyarrow at once; anything unusual is left to the strict reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headwater.adapters.sources.files.records import CsvFormat

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FastCsv:
    """Reads a block when pyarrow and the strict reader cannot but agree on it."""

    form: CsvFormat
    width: int
    bound: int
    """The longest record, in characters."""

    def columns(self, block: bytes) -> list[pa.Array] | None:
        """The fields of the block's records, one record a line; None when the strict reader has to look.

        Only blocks are taken whose quotes, if any, all enclose fields, whose lines are none of them blank, and that
        have as many records as lines.
        """
        import pyarrow as pa
        import pyarrow.csv

        if not self.form.is_plain or self.width < 2 or not self._is_usual(block):
            return None
        if len(block) > self.bound and max(map(len, block.split(b"\n"))) > self.bound:
            return None
        try:
            table = pyarrow.csv.read_csv(
                pa.py_buffer(block),
                read_options=pyarrow.csv.ReadOptions(
                    column_names=[str(place) for place in range(self.width)], use_threads=False,
                    block_size=len(block) * 4,
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self.form.delimiter, quote_char=self.form.quote or False, newlines_in_values=True,
                    ignore_empty_lines=False,
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={str(place): pa.string() for place in range(self.width)},
                    null_values=[self.form.null], strings_can_be_null=True, quoted_strings_can_be_null=False,
                    check_utf8=not block.isascii(),
                ),
            )  # fmt: skip
        except pa.ArrowInvalid:
            return None
        columns = [column.combine_chunks() for column in table.columns]
        # a blank line comes as a record of empty fields: where some column has none, there is no blank line either
        return columns if any(map(_is_filled, columns)) or not _has_blank_line(block) else None

    def _is_usual(self, block: bytes) -> bool:
        if b"\0" in block or not (self.form.delimiter + self.form.quote).isascii():
            return False
        if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
            return False
        return not self.form.quote or self.form.quote.encode() not in block or self._encloses(block)

    def _encloses(self, block: bytes) -> bool:
        """Whether every quote does. The expression is one for RE2, which takes a block in one linear pass."""
        import pyarrow as pa
        import pyarrow.compute as pc

        sign, quote = re.escape(self.form.delimiter), re.escape(self.form.quote)
        field = f"(?:{quote}(?:[^{quote}\\n]|{quote}{quote})*{quote}|[^{quote}{sign}\\r\\n]*)"
        pattern = f"\\A(?:{field}(?:{sign}|\\r?\\n|\\z))*\\z"
        return bool(pc.match_substring_regex(pa.scalar(block, pa.binary()), pattern).as_py())


def _is_filled(column: pa.Array) -> bool:
    """Whether no field of the column is empty, which is sooner asked than whether a block has a blank line."""
    import pyarrow.compute as pc

    return column.null_count == 0 and (pc.min(pc.binary_length(column)).as_py() or 0) > 0


def _has_blank_line(block: bytes) -> bool:
    return block.startswith((b"\n", b"\r\n")) or b"\n\n" in block or b"\n\r\n" in block
