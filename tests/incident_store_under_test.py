"""A real incident store, in a file of SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headwater.adapters.incident_store import SqlIncidentStore
from headwater.adapters.run_store.engine import migrate


@contextmanager
def incident_store(folder: Path) -> Iterator[SqlIncidentStore]:
    """An empty one in this folder, closed at the end."""
    url = f"sqlite:///{folder}/store.db"
    migrate(url)
    opened = SqlIncidentStore(url)
    yield opened
    opened.close_database()
