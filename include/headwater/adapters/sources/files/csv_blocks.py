"""Blocks of a CSV file, typed at once where that is sure, in pieces where it is not sure of all of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headwater.adapters.sources.files.fast_csv import FastCsv
from headwater.adapters.sources.files.typed_fields import TypedFields

if TYPE_CHECKING:
    import pyarrow as pa

PIECE_BYTES = 64 << 10
"""What is read with care for the sake of one record, at most."""


@dataclass(frozen=True, slots=True)
class Block:
    """What became of a block at once: its columns typed, or as texts; neither where the strict reader has to look."""

    typed: list[pa.Array] | None = None
    texts: list[pa.Array] | None = None


@dataclass(slots=True)
class Look:
    """Looks at the blocks of one file. Of a block that cannot be typed whole, pieces may be, unless none ever was."""

    fast: FastCsv
    fields: TypedFields | None
    is_splitting: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_splitting = self.fields is not None

    def at(self, block: bytes) -> list[tuple[bytes, Block]]:
        """The block, or its pieces, each of whole lines."""
        found = self._one(block)
        if found.typed is not None or not self.is_splitting or len(block) <= PIECE_BYTES:
            return [(block, found)]
        pieces = [(piece, self._one(piece)) for piece in _pieces(block)]
        self.is_splitting = any(piece.typed is not None for _, piece in pieces)
        return pieces

    def _one(self, block: bytes) -> Block:
        texts = self.fast.columns(block)
        typed = self.fields.columns(texts) if self.fields is not None and texts is not None else None
        return Block(typed, None if typed is not None else texts)


def _pieces(block: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + PIECE_BYTES) + 1 or len(block)
        yield block[start:end]
        start = end
