"""How a CSV file tells its fields apart, as far as its first lines show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from headwater.adapters.sources.files.lines import Encoding
from headwater.adapters.sources.files.records import CsvFormat, CsvRecords
from headwater.adapters.sources.files.samples import MOST_RECORDS, SAMPLE_BYTES, Sample, UnreadableSampleError
from headwater.domain.spec import FilesExtract

_DELIMITERS = (",", ";", "\t", "|")
_LINES_FOR_A_DELIMITER = 100


def csv_sample(extract: FilesExtract, text: str, options: dict[str, Any]) -> Sample:
    """Records of a text, by the delimiter that fits it best. :param options: what is known of it already.

    :raises UnreadableSampleError: when it holds no line.
    """
    lines = [line for line in text.split("\n", _LINES_FOR_A_DELIMITER)[:_LINES_FOR_A_DELIMITER] if line]
    if not lines:
        raise UnreadableSampleError("its newest file is empty")
    delimiter = max(_DELIMITERS, key=lambda sign: _fields_of_most(extract, sign, lines))
    options |= {"delimiter": delimiter} if delimiter != extract.delimiter else {}
    form = CsvFormat(extract.model_copy(update={"delimiter": delimiter}))
    found = _records(form, text)
    first = next(found, ())
    names = tuple(name or "" for name in first)
    if not _is_header(names):
        options["header"] = False
        names = tuple(f"column_{place}" for place in range(1, len(first) + 1))
        rows = [first]
    else:
        rows = []
    rows += [row for row, _ in zip(found, range(MOST_RECORDS), strict=False)]
    return Sample(names, [row for row in rows if len(row) == len(names)], options)


def _fields_of_most(extract: FilesExtract, delimiter: str, lines: Sequence[str]) -> int:
    """How many fields a delimiter makes of the lines, where it makes the same number of nearly all of them."""
    form = CsvFormat(extract.model_copy(update={"delimiter": delimiter}))
    # a line with a quote that goes on says nothing
    widths = [len(fields) for line in lines if (fields := form.split(line)) is not None]
    if not widths or widths.count(widths[0]) < 0.9 * len(widths):
        return 0
    return widths[0]


def _records(form: CsvFormat, text: str) -> Iterator[Sequence[str | None]]:
    records = CsvRecords(form, Encoding("utf-8"), iter(()), SAMPLE_BYTES)
    return (record.fields for record in records.of(text) if record.fields is not None)


def _is_header(fields: Sequence[str]) -> bool:
    """Names are there, differ, and begin like words: numbers and dates do not."""
    distinct = len({name.lower() for name in fields}) == len(fields)
    return distinct and all(name and (name[0].isalpha() or name[0] == "_") for name in fields)
