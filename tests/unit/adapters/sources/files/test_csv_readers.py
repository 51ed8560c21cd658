"""The fast reader of CSV takes only what the strict one takes, and takes it alike."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.adapters.sources.files.fast_csv import FastCsv
from headwater.adapters.sources.files.lines import Encoding, RecordTooLongError, blocks, utf8_blocks
from headwater.adapters.sources.files.records import CsvFormat, CsvRecords
from headwater.domain.spec import FilesExtract

UTF8 = Encoding("utf-8")
WHATEVER = st.text(alphabet=st.sampled_from('a1,;"\\ \t\n\r\0é\udc80'), max_size=60)
FIELD = st.text(alphabet=st.sampled_from('a1,"\\ é\n\r'), max_size=8)


def form(**dialect: Any) -> CsvFormat:
    return CsvFormat(FilesExtract(path="x", columns={"a": "int"}, **dialect))


def strict(text: str, dialect: CsvFormat) -> CsvRecords:
    return CsvRecords(dialect, UTF8, iter(()), 1 << 20)


@example(block='a,b\n"c,d\n')
@example(block="a,b\r\r\n")
@example(block="a,b\n\na,b\n")
@example(block="\na,b\n")
@example(block="a,b\r\n\r\na,b")
@example(block="a,b\n,\na,b\n")
@example(block="a,\n\n,b\n")
@given(WHATEVER)
def test_a_block_read_fast_has_the_fields_and_lines_of_the_strict_reader(block: str) -> None:
    dialect = form()
    for width in (2, 3):
        columns = FastCsv(dialect, width, 1 << 20).columns(UTF8.block_of(block))
        if columns is None:
            continue
        fast = list(zip(*(column.to_pylist() for column in columns), strict=True))
        records = list(strict(block, dialect).of(block))
        assert [tuple(record.fields or ()) for record in records] == fast
        assert [record.place for record in records] == list(range(1, len(block.removesuffix("\n").split("\n")) + 1))


@given(st.lists(st.lists(FIELD, min_size=2, max_size=3), min_size=1, max_size=5))
def test_what_a_writer_quotes_is_read_back(rows: list[list[str]]) -> None:
    text = "".join(",".join(f'"{value.replace(chr(34), chr(34) * 2)}"' for value in row) + "\n" for row in rows)
    assert [record.fields for record in strict(text, form()).of(text)] == rows


@given(st.lists(st.lists(FIELD, min_size=2, max_size=3), min_size=1, max_size=5))
def test_what_a_writer_escapes_is_read_back(rows: list[list[str]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = "".join(",".join(map(quoted, row)) + "\n" for row in rows)
    assert [record.fields for record in strict(text, form(escape="\\")).of(text)] == rows


@given(WHATEVER)
def test_no_line_is_lost_whatever_is_broken(text: str) -> None:
    records = list(strict(text, form()).of(text))
    places = [record.place for record in records]
    assert places == sorted(set(places))
    kept = "".join(record.raw or "" for record in records)
    assert len([sign for sign in text if sign == "é"]) == kept.count("é")


def _cuts(content: bytes, sizes: Sequence[int]) -> io.BufferedIOBase:
    class Slow(io.BytesIO):
        """Gives a few bytes at a time, as a network does."""

        def read(self, size: int | None = -1) -> bytes:
            return super().read(sizes[self.tell() % len(sizes)])

    return Slow(content)


@given(WHATEVER, st.sampled_from(["utf-8", "utf-16"]), st.lists(st.integers(2, 7), min_size=1, max_size=4))
def test_blocks_give_back_every_byte_however_they_arrive(text: str, name: str, sizes: list[int]) -> None:
    encoding = Encoding(name)
    content = (b"\xff\xfe" if name == "utf-16" else b"") + encoding.bytes_of(text)
    found = list(blocks(_cuts(content, sizes), encoding, 1 << 20))  # type: ignore[arg-type]
    assert "".join(found) == text.removeprefix("\ufeff")
    assert all(block.endswith("\n") for block in found[:-1])


@given(WHATEVER, st.sampled_from(["utf-8", "utf-16", "latin-1"]), st.lists(st.integers(2, 7), min_size=1, max_size=4))
def test_blocks_of_bytes_are_those_of_texts_however_they_arrive(text: str, name: str, sizes: list[int]) -> None:
    encoding = Encoding(name)
    text = "\ufeff" + text if name == "utf-8" else text.replace("\udc80", "é")
    content = (b"\xff\xfe" if name == "utf-16" else b"") + encoding.bytes_of(text)
    found = list(utf8_blocks(_cuts(content, sizes), encoding, 1 << 20))  # type: ignore[arg-type]
    texts = list(blocks(_cuts(content, sizes), encoding, 1 << 20))  # type: ignore[arg-type]
    assert "".join(map(encoding.text_of, found)) == "".join(texts)
    assert [encoding.block_of(encoding.text_of(block)) for block in found] == found
    assert all(block.endswith(b"\n") for block in found[:-1])


def test_the_bound_of_a_line_counts_characters() -> None:
    list(utf8_blocks(io.BytesIO(("é" * 100).encode()), UTF8, 100))
    with pytest.raises(RecordTooLongError):
        list(utf8_blocks(io.BytesIO(("é" * 101).encode()), UTF8, 100))
