"""The ledger of finished chunks in memory."""

from __future__ import annotations

from headwater.ports.chunks import Chunk, ChunkClaim

Place = tuple[str, str]


class MemoryChunks:
    """The chunk part of the RunStore port."""

    _claims: dict[Place, ChunkClaim]
    _chunks: dict[Place, dict[int, Chunk]]

    def claim_chunks(self, claim: ChunkClaim) -> tuple[Chunk, ...]:
        place = claim.run_key, claim.table
        earlier = self._claims.get(place)
        if earlier is None or earlier.plan != claim.plan:
            self._chunks[place] = {}
        self._claims[place] = claim
        return tuple(chunk for _, chunk in sorted(self._chunks[place].items()))

    def save_chunk(self, claim: ChunkClaim, chunk: Chunk) -> None:
        self._owned(claim)[chunk.number] = chunk

    def drop_chunks(self, claim: ChunkClaim, first: int) -> None:
        owned = self._owned(claim)
        for number in [number for number in owned if number >= first]:
            del owned[number]

    def forget_chunks(self, run_key: str, table: str) -> None:
        self._claims.pop((run_key, table), None)
        self._chunks.pop((run_key, table), None)

    def _owned(self, claim: ChunkClaim) -> dict[int, Chunk]:
        place = claim.run_key, claim.table
        if self._claims.get(place) != claim:
            raise claim.lost()
        return self._chunks[place]
