"""A window read in chunks, interrupted and gone on with, is the window: alike in every database that has chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.sources.chunks_under_test import BrokenOffError, in_chunks
from tests.integration.sources.mariadb_under_test import MariaSource
from tests.integration.sources.sources_under_test import PLANNED_AT, Source, rejects_of, rows_of, sql_table

from headwater.adapters.memory import MemoryRunStore
from headwater.domain.errors import SourceDataError
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState


@dataclass(frozen=True)
class Flights:
    """Flights, one a second.

    :param no_day: a date that is not carried, and the rule it breaks.
    """

    source: Source
    moment: str
    no_day: str
    rule: str

    def fill(self, rows: int, *more: str) -> None:
        began = PLANNED_AT.replace(tzinfo=None, microsecond=0) - timedelta(hours=1)
        listed = ", ".join(f"({n}, '2013-01-31', '{began + timedelta(seconds=n)}')" for n in range(1, rows + 1))
        table = f"create table flights (id int, day date, at {self.moment})"
        self.source.sql(table, f"insert into flights values {listed}", *more)

    def breaking(self, condition: str) -> str:
        return f"update flights set day = '{self.no_day}' where {condition}"


FLIGHTS: dict[str, Callable[[pytest.FixtureRequest, Path], Flights]] = {
    "postgres": lambda request, _: Flights(
        request.getfixturevalue("source"), "timestamp", "infinity", "out_of_range:day"
    ),
    "mariadb": lambda request, folder: Flights(
        MariaSource(request.getfixturevalue("mariadb"), folder / "data"), "datetime(3)", "2013-02-31", "untypable:day"
    ),
}


@pytest.fixture(params=FLIGHTS)
def flights(request: pytest.FixtureRequest, tmp_path: Path) -> Flights:
    return FLIGHTS[request.param](request, tmp_path)


def table(rows: int, **extract: Any) -> TableSpec:
    return sql_table(mode="incremental", cursor="at", chunk_rows=rows, **extract)


@pytest.mark.parametrize("breaks_after", [1, 3])
def test_a_resumed_read_equals_an_uninterrupted_one(flights: Flights, breaks_after: int) -> None:
    """Rules 27 and 28: rows, positions and digest, whatever came in between; rejects are not doubled either."""
    flights.fill(30, flights.breaking("id in (3, 17, 18)"), "insert into flights values (99, null, null)")
    asked, shown = table(10, lag="2h", max_quarantined_share=0.2), 'id, day, "at", _hw_position'
    window = flights.source.plan(asked)
    uninterrupted, runs = in_chunks(flights.source, asked, window), MemoryRunStore()
    with pytest.raises(BrokenOffError):
        in_chunks(flights.source, asked, window, runs, breaks_after)
    flights.source.sql("insert into flights values (31, null, now())")
    said: list[str] = []
    again = in_chunks(flights.source, asked, window, runs, said=said)
    assert any(line.startswith(f"flights: {breaks_after} chunks") for line in said)
    assert sum(": chunk " in line for line in said) == 4 - breaks_after
    assert rows_of(again, shown) == rows_of(uninterrupted, shown)
    assert (again.rows, again.rejected) == (27, 4)
    assert (again.watermark, again.digest) == (uninterrupted.watermark, uninterrupted.digest)
    told = [
        [(reject["_hw_rules"], reject["_hw_position"], reject["_hw_id"]) for reject in rejects_of(found)]
        for found in (again, uninterrupted)
    ]
    assert told[0] == told[1]
    assert not {row[0] for row in rows_of(again, "_hw_position")} & {position for _, position, _ in told[0]}


def test_a_row_committed_late_into_a_chunk_that_was_read_is_found_by_the_lag(flights: Flights) -> None:
    """Nothing else happens, so it is the digest of the zone alone that tells the next plan."""
    flights.fill(30)
    asked, runs = table(10, lag="2h"), MemoryRunStore()
    window = flights.source.plan(asked)
    with pytest.raises(BrokenOffError):
        in_chunks(flights.source, asked, window, runs, 1)
    flights.source.sql("insert into flights select 31, null, min(at) from flights")
    first = in_chunks(flights.source, asked, window, runs)
    assert first.rows == 30
    flights.source.states["flights"] = TableState(
        run_key="i/flights/r1", spec_hash="h", watermark=first.watermark, digest=first.digest
    )
    assert flights.source.plan(asked).note == "late commits below the watermark"


def test_too_much_set_aside_stops_at_the_end_and_a_retry_reads_it_again(flights: Flights) -> None:
    """The share is of the window, not of a chunk; chunks without rejects are kept."""
    flights.fill(60, flights.breaking("id between 25 and 36"))
    asked, runs, source = table(20), MemoryRunStore(), flights.source
    window = source.plan(asked)
    with pytest.raises(SourceDataError, match=f"12 of 60 rows.*{flights.rule} 12"):
        in_chunks(source, asked, window, runs)
    assert len(list(source.folder.glob("*.parquet"))) == 1
    source.sql("update flights set day = null")
    said: list[str] = []
    again = in_chunks(source, asked, window, runs, said=said)
    assert any(line.startswith("flights: 1 chunks with 20 rows") for line in said)
    assert (again.rows, again.rejected) == (60, 0)


def test_a_window_without_usable_cursors_ends(flights: Flights) -> None:
    flights.fill(1, "update flights set at = null")
    extracted = in_chunks(flights.source, table(2), flights.source.plan(table(2)))
    assert (extracted.rows, [reject["_hw_rules"] for reject in rejects_of(extracted)]) == (0, ["null_cursor:at"])
