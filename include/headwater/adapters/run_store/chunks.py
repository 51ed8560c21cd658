"""The ledger of finished chunks (rule 28)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, select

from headwater.adapters.run_store.database import Database, put, put_once
from headwater.adapters.run_store.tables import CHUNK_CLAIMS, CHUNKS
from headwater.ports.chunks import Chunk, ChunkClaim

_KEY = ("run_key", "table_name")


class Chunks(Database):
    """The part of the run store that knows how far a long read has come."""

    def claim_chunks(self, claim: ChunkClaim) -> tuple[Chunk, ...]:
        row = {"run_key": claim.run_key, "table_name": claim.table, "plan": claim.plan, "attempt": claim.attempt}
        with self._transaction() as connection:
            # the row is locked from here on: an attempt that is just saving a chunk ends before, or finds itself ousted
            put_once(connection, CHUNK_CLAIMS, _KEY, row)
            held = select(CHUNK_CLAIMS.c.plan).where(_of(CHUNK_CLAIMS, claim.run_key, claim.table)).with_for_update()
            if connection.execute(held).scalar() != claim.plan:
                connection.execute(delete(CHUNKS).where(_of(CHUNKS, claim.run_key, claim.table)))
            put(connection, CHUNK_CLAIMS, _KEY, row)
            found = select(CHUNKS.c.document).where(_of(CHUNKS, claim.run_key, claim.table))
            documents = connection.execute(found.order_by(CHUNKS.c.number)).scalars()
            return tuple(map(Chunk.model_validate_json, documents))

    def save_chunk(self, claim: ChunkClaim, chunk: Chunk) -> None:
        row = {"run_key": claim.run_key, "table_name": claim.table, "number": chunk.number}
        with self._transaction() as connection:
            _check_claim(connection, claim)
            put(connection, CHUNKS, (*_KEY, "number"), row | {"document": chunk.model_dump_json()})

    def drop_chunks(self, claim: ChunkClaim, first: int) -> None:
        with self._transaction() as connection:
            _check_claim(connection, claim)
            connection.execute(delete(CHUNKS).where(_of(CHUNKS, claim.run_key, claim.table), CHUNKS.c.number >= first))

    def forget_chunks(self, run_key: str, table: str) -> None:
        with self._transaction() as connection:
            for name in (CHUNKS, CHUNK_CLAIMS):
                connection.execute(delete(name).where(_of(name, run_key, table)))


def _of(name: Table, run_key: str, table: str) -> ColumnElement[bool]:
    return and_(name.c.run_key == run_key, name.c.table_name == table)


def _check_claim(connection: Connection, claim: ChunkClaim) -> None:
    mine = select(CHUNK_CLAIMS.c.attempt).where(_of(CHUNK_CLAIMS, claim.run_key, claim.table)).with_for_update()
    if connection.execute(mine).scalar() != claim.attempt:
        raise claim.lost()
