"""CSV records one by one, each either a list of fields or a reason why not: one bad line costs one line.

Strict RFC 4180 with any delimiter and quote: a quote stands at both ends of a field or nowhere. Records keep their
line.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from headwater.adapters.sources.files.lines import Encoding, RecordTooLongError
from headwater.adapters.sources.texts import Record
from headwater.domain.spec import FilesExtract

MOST_LINES_OF_A_RECORD = 200
"""An opening quote that is not closed within so many lines is taken for a mistake in its first line."""


class CsvFormat:
    """How fields are told apart."""

    def __init__(self, extract: FilesExtract) -> None:
        self.delimiter, self.quote, self.escape, self.null = (
            extract.delimiter, extract.quote, extract.escape, extract.null
        )  # fmt: skip
        sign, quote, escape = (re.escape(text) for text in (self.delimiter, self.quote, self.escape))
        taken = f"{escape}[\\s\\S]|" if escape else ""
        within = f"(?:{taken}[^{quote}{escape}]|{quote}{quote})*"
        plain = f"(?:{taken}[^{sign}{quote}{escape}])*"
        quoted = f"{quote}({within}){quote}" if quote else r"(\Z.)"
        self._field = re.compile(f"(?:{quoted}|({plain}))({sign}|\\Z)")
        self._escaped = re.compile(f"{escape}([\\s\\S])") if escape else None

    @property
    def is_plain(self) -> bool:
        """Whether quotes are doubled and nothing else has two meanings."""
        return not self.escape

    def quotes(self, text: str) -> int:
        """How many quotes of the text have their meaning."""
        if not self.quote:
            return 0
        return (self._escaped.sub("", text) if self._escaped else text).count(self.quote)

    def split(self, text: str) -> list[str | None] | None:
        """The fields of a record, or None when its quotes are broken."""
        if (not self.quote or self.quote not in text) and (not self.escape or self.escape not in text):
            return [None if value == self.null else value for value in text.split(self.delimiter)]
        fields: list[str | None] = []
        place, more = 0, True
        while more:
            match = self._field.match(text, place)
            if match is None:
                return None
            quoted, plain, end = match.groups()
            fields.append(self._quoted(quoted) if quoted is not None else self._plain(plain))
            place, more = match.end(), bool(end)
        return fields

    def _plain(self, text: str) -> str | None:
        if text == self.null:
            return None
        return self._escaped.sub(r"\1", text) if self._escaped else text

    def _quoted(self, text: str) -> str:
        if self._escaped is None:
            return text.replace(self.quote * 2, self.quote)
        pairs = re.compile(f"{re.escape(self.escape)}([\\s\\S])|{re.escape(self.quote)}({re.escape(self.quote)})")
        return pairs.sub(lambda match: match[1] or match[2], text)


@dataclass(slots=True)
class CsvRecords:
    """Takes blocks of lines and gives their records, asking for more blocks while a record is open."""

    form: CsvFormat
    encoding: Encoding
    more: Iterator[str]
    bound: int
    line: int = 0
    """Lines taken so far."""
    _waiting: deque[str] = field(default_factory=deque)

    def skip(self, lines: int) -> None:
        """Somebody else has read this many lines."""
        self.line += lines

    def give_back(self) -> str:
        """The lines taken in and not yet read, for somebody else to read."""
        rest = "".join(self._waiting)
        self._waiting.clear()
        return rest

    def of(self, block: str) -> Iterator[Record]:
        """The records of a block, and of as many more as its last record reaches into; blank lines left out."""
        self._take(block)
        while self._waiting:
            count = self._lines_of_record()
            place, self.line = self.line + 1, self.line + count
            text = "".join(self._waiting.popleft() for _ in range(count)).removesuffix("\n").removesuffix("\r")
            if text.strip("\r\n"):
                yield self._record(place, text)

    def _take(self, block: str) -> None:
        lines = block.split("\n")
        last = lines.pop()
        self._waiting.extend(f"{line}\n" for line in lines)
        self._waiting.extend([last] if last else [])

    def _fill(self, count: int) -> bool:
        """Have ``count`` lines wait; False when the file has no more."""
        while len(self._waiting) < count:
            block = next(self.more, None)
            if block is None:
                return False
            self._take(block)
        return True

    def _lines_of_record(self) -> int:
        """How many lines make the next record: up to where its quotes close, or one where that gives no record."""
        quotes = count = size = 0
        while count < MOST_LINES_OF_A_RECORD and self._fill(count + 1):
            quotes += self.form.quotes(self._waiting[count])
            size += len(self._waiting[count])
            count += 1
            if size > self.bound:
                raise RecordTooLongError
            if quotes % 2 == 0:
                return count if count == 1 or self._is_record(count) else 1
        return 1

    def _is_record(self, count: int) -> bool:
        return self.form.split("".join(self._waiting[place] for place in range(count)).rstrip("\r\n")) is not None

    def _record(self, place: int, text: str) -> Record:
        problem = self.encoding.problem_of(text)
        fields = self.form.split(text) if problem is None else None
        if fields is None:
            return self.encoding.broken(place, text, problem or "broken_quoting")
        return Record(place, fields, text)
