"""Long reads in chunks: which table is read so, and the ledger that a later attempt goes on from (rule 28)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from headwater.domain.errors import SpecError
from headwater.domain.names import TableName
from headwater.domain.run import TablePlan
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.chunks import Chunk, ChunkClaim
from headwater.ports.extractor import ChunkedExtractor, Extractor
from headwater.ports.run_store import RunStore


@dataclass(frozen=True)
class RunChunks:
    """``ports.chunks.ChunkLedger`` in the run store."""

    runs: RunStore
    claim: ChunkClaim

    def finished(self) -> tuple[Chunk, ...]:
        return self.runs.claim_chunks(self.claim)

    def finish(self, chunk: Chunk) -> None:
        self.runs.save_chunk(self.claim, chunk)

    def forget(self, first: int) -> None:
        self.runs.drop_chunks(self.claim, first)


def is_chunked(table: TableSpec) -> bool:
    """Whether the YAML asks for chunks."""
    return isinstance(table.extract, SqlExtract) and table.extract.chunk_rows is not None


def forget_ledger(runs: RunStore, run_key: str, table: TableSpec, name: TableName) -> None:
    """Drop the ledger of a read whose files are committed, or that had none; of other tables there is none."""
    if is_chunked(table):
        runs.forget_chunks(run_key, name.dotted)


def chunked(table: TableSpec, extractor: Extractor) -> ChunkedExtractor | None:
    """The extractor, where the YAML asks for chunks.

    :raises SpecError: when the table's kind of source cannot be read so.
    """
    if not is_chunked(table):
        return None
    if isinstance(extractor, ChunkedExtractor):
        return extractor
    raise SpecError(
        f"table {table.name!r}: this kind of source is not read in chunks",
        got="chunk_rows",
        allowed="a table of PostgreSQL, MySQL or MariaDB, or no chunk_rows",
        facts={"table": table.name},
    )


def plan_hash(table: TableSpec, plan: TablePlan, planned_at: datetime, schema: TableSchema) -> str:
    """Over what has to be equal for a finished chunk to stand: window, clock, spec, and the columns of the files."""
    parts = [plan.model_dump(mode="json"), planned_at.isoformat(), schema.model_dump(mode="json")]
    parts += [table.extract.model_dump(mode="json"), list(table.key)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
