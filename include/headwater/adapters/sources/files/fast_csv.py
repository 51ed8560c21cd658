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
                    delimiter=self.form.delimiter, quote_char=self.form.quote or False, newlines_in_values=True
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={str(place): pa.string() for place in range(self.width)},
                    null_values=[self.form.null], strings_can_be_null=True, quoted_strings_can_be_null=False,
                    check_utf8=not block.isascii(),
                ),
            )  # fmt: skip
        except pa.ArrowInvalid:
            return None
        # blank lines are left out by pyarrow: with one, there are fewer records than lines
        if table.num_rows != lines_of(block):
            return None
        return [column.combine_chunks() for column in table.columns]

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


def lines_of(block: bytes) -> int:
    """How many lines a block has; the last may lack its end."""
    return block.count(b"\n") + (not block.endswith(b"\n"))
