"""A heartbeat of commits beside the demo's own: they tell exactly what a restore brought back."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from headwater.adapters.embedded import wal_archive as wal

if TYPE_CHECKING:
    from headwater.adapters.embedded.postgres import EmbeddedPostgres

DATABASE = "headwater_drill"
_BEAT_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Beat:
    """A commit: it was done at ``at``, and its log ends at or before ``position``."""

    number: int
    at: datetime
    position: int


@dataclass
class Beats:
    """Commits until stopped."""

    server: EmbeddedPostgres
    made: list[Beat] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        import psycopg

        with psycopg.connect(self.server.url(DATABASE), autocommit=True) as connection:
            while not self._stop.wait(_BEAT_SECONDS):
                number = len(self.made) + 1
                connection.execute("INSERT INTO beats VALUES (%s)", [number])
                row = connection.execute("SELECT clock_timestamp(), pg_current_wal_insert_lsn()::text").fetchone()
                if row is not None:
                    self.made.append(Beat(number, row[0], wal.lsn(row[1])))

    def stop(self) -> None:
        self._stop.set()

    def in_segment(self, name: str, segment_bytes: int) -> Sequence[Beat]:
        """Those whose log is whole in that segment."""
        end = wal.segment_end(name, segment_bytes)
        return [beat for beat in list(self.made) if end - segment_bytes < beat.position <= end]


@contextmanager
def beating(server: EmbeddedPostgres) -> Iterator[Beats]:
    """Beats in a database of their own, which is gone afterwards."""
    _drop(server)
    server.create_databases([DATABASE])
    beats = Beats(server)
    thread = threading.Thread(target=beats, name="beats", daemon=True)
    try:
        _execute(server, DATABASE, "CREATE TABLE beats (n bigint PRIMARY KEY)")
        thread.start()
        yield beats
    finally:
        beats.stop()
        if thread.ident is not None:
            thread.join()
        _drop(server)


def beats_of(server: EmbeddedPostgres) -> int:
    """The number of beats a server has; -1 when one before the last is missing."""
    import psycopg

    with psycopg.connect(server.url(DATABASE)) as connection:
        row = connection.execute("SELECT count(*), coalesce(max(n), 0) FROM beats").fetchone()
    count, last = row if row is not None else (0, 0)
    return int(count) if count == last else -1


def _drop(server: EmbeddedPostgres) -> None:
    _execute(server, "postgres", f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _execute(server: EmbeddedPostgres, database: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server.url(database), autocommit=True) as connection:
        connection.execute(statement.encode())
