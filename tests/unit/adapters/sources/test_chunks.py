"""Chunks stand while their files do; together they are one extract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headwater.adapters.memory import MemoryRunStore
from headwater.adapters.sources.chunks import adopted, gathered, sealed
from headwater.domain.run import Window
from headwater.ports.catalog import DataFile
from headwater.ports.chunks import Chunk, ChunkClaim
from headwater.services.chunking import RunChunks


def written(folder: Path, name: str) -> DataFile:
    (folder / name).write_text(f"rows of {name}")
    return DataFile(path=f"file://{folder}/{name}", rows=5, size_bytes=(folder / name).stat().st_size)


def ledger_of(folder: Path) -> RunChunks:
    """Three chunks; the second has rejects."""
    ledger = RunChunks(MemoryRunStore(), ChunkClaim(run_key="k", table="t", plan="p", attempt="a"))
    ledger.finished()
    for number in range(3):
        rejects = sealed([written(folder, "rejects-1")] if number == 1 else [])
        ledger.finish(
            Chunk(
                number=number,
                attempt="a",
                files=sealed([written(folder, f"rows-{number}")]),
                rejects=rejects,
                rejected=len(rejects) * 5,
                next_ordinal=number,
                digest="zone",
            )
        )
    return ledger


def test_untouched_files_are_adopted(tmp_path: Path) -> None:
    said: list[str] = []
    assert [chunk.number for chunk in adopted(ledger_of(tmp_path), "t", said.append)] == [0, 1, 2]
    assert said == ["t: 3 chunks with 15 rows were finished by an earlier try of this run"]


@pytest.mark.parametrize(
    "damage",
    [Path.unlink, lambda path: path.write_text("rows of rows-2"), lambda path: path.write_text("")],
)
@pytest.mark.parametrize(("name", "kept"), [("rows-0", 0), ("rows-1", 1), ("rejects-1", 1)])
def test_from_a_damaged_file_on_nothing_is_adopted_nor_left(
    tmp_path: Path, damage: Callable[[Path], object], name: str, kept: int
) -> None:
    """Rule 12: gone, of another size, or of the same size with other bytes."""
    ledger = ledger_of(tmp_path)
    damage(tmp_path / name)
    assert [chunk.number for chunk in adopted(ledger, "t", print)] == list(range(kept))
    assert [chunk.number for chunk in ledger.finished()] == list(range(kept))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"rows-{number}" for number in range(kept)]


def test_together_they_are_one_extract(tmp_path: Path) -> None:
    """Rule 11: one commit takes them all; only a scheduled window moves the watermark (rule 7)."""
    chunks = adopted(ledger_of(tmp_path), "t", print)
    extracted = gathered(chunks, Window(kind="incremental", high="9"))
    assert [Path(file.path).name for file in extracted.files] == ["rows-0", "rows-1", "rows-2"]
    assert (extracted.rows, extracted.rejected, extracted.digest, extracted.watermark) == (15, 5, "zone", "9")
    assert {type(file) for file in (*extracted.files, *extracted.rejects)} == {DataFile}
    assert gathered(chunks, Window(kind="incremental", high="9", advances_watermark=False)).watermark is None
