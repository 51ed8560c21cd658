"""JSON Lines, and one JSON array of objects, become records of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from headwater.adapters.sources.files.json_array import JsonArray, NoArrayError
from headwater.adapters.sources.files.json_values import DuplicateKeyError, TooDeepError, decoded, text_of
from headwater.adapters.sources.files.lines import Encoding, RecordTooLongError, blocks, is_text, texts
from headwater.adapters.sources.files.shape import Shape
from headwater.adapters.sources.files.unpacking import Part
from headwater.adapters.sources.texts import Record, TextFile


def read_json_lines(part: Part, shape: Shape, target: TextFile) -> None:
    """Take every line of the file, whole or broken; blank lines are left out.

    :raises SchemaDriftError: when the fields are not what the YAML declares.
    :raises RecordTooLongError: when a line is longer than ``max_record_bytes``.
    """
    extract = shape.landing.extract
    encoding = Encoding(extract.encoding)

    def lines() -> Iterator[str]:
        for block in blocks(part.content, encoding, extract.max_record_bytes):
            yield from block.removesuffix("\n").split("\n")

    _take(lines(), part, _JsonRecords(shape, encoding), target)


def read_json_array(part: Part, shape: Shape, target: TextFile) -> None:
    """Take every element of the file's array, whole or broken.

    :raises SourceDataError: when the file is no whole array: what it lacks nobody can tell.
    """
    extract = shape.landing.extract
    encoding = Encoding(extract.encoding)
    array = JsonArray(texts(part.content, encoding), extract.max_record_bytes)
    try:
        _take(array.elements(), part, _JsonRecords(shape, encoding, keep_blank=True), target)
    except NoArrayError as error:
        what = str(error)
    else:
        return
    raise shape.landing.refusal(shape.path, f"is no JSON array: it {what}", what, "one whole array of objects")


def _take(found: Iterable[str], part: Part, records: _JsonRecords, target: TextFile) -> None:
    for place, text in enumerate(found, 1):
        record = records.of(place, text)
        if record is not None:
            target.add(part.name, record)
    records.finish()


@dataclass(slots=True)
class _JsonRecords:
    """Judges the form of records, and remembers which fields a file has."""

    shape: Shape
    encoding: Encoding
    keep_blank: bool = False
    seen: set[str] = field(default_factory=set)
    whole: int = 0

    def of(self, place: int, text: str) -> Record | None:
        text = text.strip(" \t\r\n")
        if len(text) > self.shape.landing.extract.max_record_bytes:
            raise RecordTooLongError
        if not text and not self.keep_blank:
            return None
        problem = self.encoding.problem_of(text)
        values, problem = (None, problem) if problem else _object(text)
        if values is None:
            return self.encoding.broken(place, text, problem or "broken_json")
        self.whole += 1
        self.seen.update(values)
        return self._record(place, text, values)

    def finish(self) -> None:
        """:raises SchemaDriftError: when no record of the file had a declared field."""
        if self.whole:
            self.shape.check((), self.seen, f"the fields {', '.join(sorted(self.seen))}")

    def _record(self, place: int, text: str, values: dict[str, object]) -> Record:
        names = self.shape.names
        policy = self.shape.undeclared_fields
        if len(values) > len(names) or any(name not in names for name in values):
            extra = [name for name in values if name not in names]
            if extra and policy == "quarantine":
                return Record(place, None, text, "undeclared_field")
            if extra and policy == "stop":
                what = f"has fields that are not declared: {', '.join(extra)}"
                raise self.shape.drift([], extra, f"{what}, in record {place}", text)
            if policy == "leave_out":
                self.shape.leave_out(extra)
        row = [text_of(values.get(name)) for name in names]
        if "\\u" in text and not all(value is None or is_text(value) for value in row):
            return Record(place, None, text, "invalid_unicode")
        return Record(place, self.shape.row(row, range(len(names))), text)


def _object(text: str) -> tuple[dict[str, object] | None, str | None]:
    try:
        value = decoded(text)
    except DuplicateKeyError:
        return None, "duplicate_key"
    except TooDeepError:
        return None, "too_deep"
    except ValueError:
        return None, "broken_json"
    return (value, None) if isinstance(value, dict) else (None, "no_object")
