"""Text files in blocks of whole lines, whatever their encoding; bytes that are no text can be had back."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from headwater.adapters.sources.texts import Record, escaped

BLOCK_BYTES = 4 << 20
CSV_BLOCK_BYTES = 1 << 20
"""Of CSV in UTF-8: what a core's own cache holds, and so much is read with care where one record is unusual."""
_BYTE_ORDER_MARK = "\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")


class RecordTooLongError(Exception):
    """A record is longer than the bound; carries the line it starts in."""


class LoneReturnError(Exception):
    """A header, or the one record of a CSV file without one, goes on after a carriage return: all its lines are one."""


class NoByteOrderMarkError(Exception):
    """A UTF-16 file does not say which byte comes first."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes become text and back. What cannot be decoded becomes lone surrogates, which no text has."""

    name: str

    @property
    def errors(self) -> str:
        return "surrogatepass" if self.name == "utf-16" else "surrogateescape"

    def bytes_of(self, text: str) -> bytes:
        """The very bytes a text was decoded from; UTF-16 comes without a mark, the low byte first.

        An odd last byte of UTF-16 comes with ``DC`` behind it.
        """
        return text.encode("utf-16-le" if self.name == "utf-16" else self.name, self.errors)

    def text_of(self, block: bytes) -> str:
        """The text of a block of ``utf8_blocks``."""
        return block.decode("utf-8", self._errors_in_utf8)

    def block_of(self, text: str) -> bytes:
        """The block a text was."""
        return text.encode("utf-8", self._errors_in_utf8)

    @property
    def _errors_in_utf8(self) -> str:
        return "surrogateescape" if self.name == "utf-8" else "surrogatepass"

    def broken(self, place: int, text: str, problem: str) -> Record:
        """A record that cannot be taken, kept as it is, or escaped where it is no text."""
        keep = text if is_text(text) else escaped(self.bytes_of(text))
        return Record(place, None, keep, problem)

    def problem_of(self, text: str) -> str | None:
        """What is wrong with a text as such."""
        if "\0" in text:
            return "nul_byte"
        if not text.isascii() and _SURROGATE.search(text):
            return "invalid_utf8" if self.name == "utf-8" else "invalid_encoding"
        return None


def is_text(text: str) -> bool:
    """Whether the text can be stored as one."""
    return "\0" not in text and (text.isascii() or _SURROGATE.search(text) is None)


def blocks(content: BinaryIO, encoding: Encoding, bound: int) -> Iterator[str]:
    """Texts of whole lines, line ends included; only the last may lack one. A byte order mark is taken off.

    :param bound: the longest line, in characters.
    :raises RecordTooLongError: when a line is longer.
    :raises NoByteOrderMarkError: when a UTF-16 file has none.
    """
    rest = ""
    for text in texts(content, encoding):
        cut = text.rfind("\n") + 1
        if cut:
            yield rest + text[:cut]
            rest = text[cut:]
        else:
            rest += text
        if len(rest) > bound:
            raise RecordTooLongError
    if rest:
        yield rest


def utf8_blocks(content: BinaryIO, encoding: Encoding, bound: int) -> Iterator[bytes]:
    """The same as ``blocks``, in UTF-8, of which what cannot be decoded is no part; ``text_of`` gives the text.

    A file in UTF-8 comes as its own bytes: only what is unusual has to be decoded.

    :raises RecordTooLongError: when a line is longer. :raises NoByteOrderMarkError: when a UTF-16 file has none.
    """
    if encoding.name != "utf-8":
        for text in blocks(content, encoding, bound):
            yield encoding.block_of(text)
        return
    mark, rest = codecs.BOM_UTF8, b""
    while chunk := content.read(CSV_BLOCK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield b"".join((rest, memoryview(chunk)[:cut])).removeprefix(mark)
            mark, rest = b"", chunk[cut:]
        else:
            rest += chunk
        if len(rest) > bound and len(encoding.text_of(rest)) > bound:
            raise RecordTooLongError
    if rest := rest.removeprefix(mark):
        yield rest


def texts(content: BinaryIO, encoding: Encoding) -> Iterator[str]:
    """The text of a file in pieces of any length, without its byte order mark.

    :raises NoByteOrderMarkError: when a UTF-16 file has none.
    """
    decoder = codecs.getincrementaldecoder(encoding.name)(encoding.errors)
    # the decoder of UTF-16 takes the mark off itself
    begun = encoding.name == "utf-16"
    chunk = content.read(BLOCK_BYTES)
    if chunk and begun and chunk[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise NoByteOrderMarkError
    while chunk:
        text = _decoded(decoder, chunk)
        yield text if begun else text.removeprefix(_BYTE_ORDER_MARK)
        begun = begun or bool(text)
        chunk = content.read(BLOCK_BYTES)
    yield _decoded(decoder, b"")


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes) -> str:
    try:
        return decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError as error:
        # the odd last byte of a UTF-16 file is no code unit: it is told by a lone surrogate
        return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end])
