"""Reading a window in chunks by a ledger whose process may end after any of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from tests.integration.sources.sources_under_test import PLANNED_AT, Source, live_schema

from headwater.adapters.memory import MemoryRunStore
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.run import Window
from headwater.domain.spec import TableSpec
from headwater.ports.chunks import Chunk, ChunkClaim
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.services.chunking import RunChunks


class BrokenOffError(Exception):
    """The process ends here, as far as a test without a second process can tell."""


@dataclass(frozen=True)
class BreakingChunks(RunChunks):
    """A ledger whose process ends once it has recorded so many chunks."""

    breaks_after: int | None

    def finish(self, chunk: Chunk) -> None:
        super().finish(chunk)
        if chunk.number + 1 == self.breaks_after:
            raise BrokenOffError


def in_chunks(
    source: Source,
    table: TableSpec,
    window: Window,
    runs: MemoryRunStore | None = None,
    breaks_after: int | None = None,
    said: list[str] | None = None,
) -> Extracted:
    extractor, attempt = open_extractor(table, source.info), uuid4().hex
    stamp = BatchStamp(run_key="i/flights/r1", planned_at=PLANNED_AT, batch=7, attempt=attempt)
    claim = ChunkClaim(run_key=stamp.run_key, table=table.name, plan="p", attempt=attempt)
    chunks = BreakingChunks(runs or MemoryRunStore(), claim, breaks_after)
    try:
        live = live_schema(extractor.inspect(table))
        return extractor.extract_in_chunks(  # type: ignore[attr-defined,no-any-return]
            table, window, stamp, live, str(source.folder), chunks, None if said is None else said.append
        )
    finally:
        extractor.close()
