"""The RunStore port over SQLAlchemy: PostgreSQL, and SQLite for one machine and fast tests."""

from __future__ import annotations

from headwater.adapters.run_store.chunks import Chunks
from headwater.adapters.run_store.engine import migrate, open_engine
from headwater.adapters.run_store.leases import Leases
from headwater.adapters.run_store.releases import Releases
from headwater.adapters.run_store.runs import Runs
from headwater.adapters.run_store.stagings import Stagings

__all__ = ["SqlRunStore", "migrate", "open_engine"]


class SqlRunStore(Runs, Stagings, Releases, Leases, Chunks):
    """The run store at a database URL that ``migrate`` has prepared. Opened on first use; close it when done."""
