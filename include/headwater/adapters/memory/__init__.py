"""The Catalog and RunStore ports in memory, for unit tests of use cases; behaviour suites hold them to the ports."""

from __future__ import annotations

from headwater.adapters.memory.catalog import MemoryCatalog
from headwater.adapters.memory.run_store import MemoryRunStore

__all__ = ["MemoryCatalog", "MemoryRunStore"]
