"""CSV records one by one, each either a list of fields or a reason why not: one bad line costs one line.

Strict RFC 4180 with any delimiter: a quote stands at both ends of a field or nowhere. Records keep their line.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

BOM = b"\xef\xbb\xbf"
MOST_LINES_OF_A_RECORD = 200
"""An opening quote that is not closed within so many lines is taken for a mistake in its first line."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``fields`` holds None for an unquoted null; it is None altogether for a broken record."""

    line: int
    fields: list[str | None] | None
    raw: str = ""
    problem: str = ""


class CsvFormat:
    """How fields are told apart."""

    def __init__(self, delimiter: str, null: str) -> None:
        self.delimiter = delimiter
        self.null = null
        sign = re.escape(delimiter)
        self._field = re.compile(rf'(?:"((?:[^"]|"")*)"|([^"{sign}]*))({sign}|\Z)')

    def split(self, text: str) -> list[str | None] | None:
        """The fields of a record, or None when its quotes are broken."""
        if '"' not in text:
            return [None if value == self.null else value for value in text.split(self.delimiter)]
        fields: list[str | None] = []
        place, more = 0, True
        while more:
            match = self._field.match(text, place)
            if match is None:
                return None
            quoted, plain, end = match.groups()
            fields.append(quoted.replace('""', '"') if quoted is not None else None if plain == self.null else plain)
            place, more = match.end(), bool(end)
        return fields


def read_records(file: BinaryIO, form: CsvFormat, seen: Callable[[bytes], None]) -> Iterator[Record]:
    """Records of a file, the header included, blank lines left out.

    :param seen: is handed every byte of the file, in order.
    """
    lines = _numbered(file, seen)
    waiting: deque[tuple[int, bytes]] = deque()
    while _fill(waiting, lines, 1):
        number = waiting[0][0]
        content = b"".join(waiting.popleft()[1] for _ in range(_lines_of_record(waiting, lines, form)))
        if content.strip(b"\r\n"):
            yield _record(number, content, form)


def _numbered(file: BinaryIO, seen: Callable[[bytes], None]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        seen(line)
        yield number, line.removeprefix(BOM) if number == 1 else line


def _fill(waiting: deque[tuple[int, bytes]], lines: Iterator[tuple[int, bytes]], count: int) -> bool:
    """Read ahead until ``count`` lines wait; False when the file has no more."""
    while len(waiting) < count:
        line = next(lines, None)
        if line is None:
            return False
        waiting.append(line)
    return True


def _lines_of_record(waiting: deque[tuple[int, bytes]], lines: Iterator[tuple[int, bytes]], form: CsvFormat) -> int:
    """How many lines make the next record: up to where its quotes are closed, or one where that gives no record."""
    quotes, count = 0, 0
    while count < MOST_LINES_OF_A_RECORD and _fill(waiting, lines, count + 1):
        quotes += waiting[count][1].count(b'"')
        count += 1
        if quotes % 2 == 0:
            return count if count == 1 or _is_record(waiting, count, form) else 1
    return 1


def _is_record(waiting: deque[tuple[int, bytes]], count: int, form: CsvFormat) -> bool:
    joined = b"".join(waiting[place][1] for place in range(count))
    return form.split(joined.rstrip(b"\r\n").decode("utf-8", errors="replace")) is not None


def _record(line: int, content: bytes, form: CsvFormat) -> Record:
    content = content.removesuffix(b"\n").removesuffix(b"\r")
    if b"\0" in content:
        return _broken(line, content, "nul_byte")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return _broken(line, content, "invalid_utf8")
    fields = form.split(text)
    return _broken(line, content, "broken_quoting") if fields is None else Record(line, fields, text)


def _broken(line: int, content: bytes, problem: str) -> Record:
    if problem == "broken_quoting":
        return Record(line, None, content.decode("utf-8"), problem)
    # what is no text is escaped, backslashes too, so that the bytes can be had back exactly
    escaped = content.replace(b"\\", b"\\\\").replace(b"\0", b"\\x00")
    return Record(line, None, escaped.decode("utf-8", errors="backslashreplace"), problem)
