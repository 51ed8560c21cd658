"""What killed processes leave in the storage beside the tables, and nobody refers to (ADR 18)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from pydantic import AwareDatetime

from headwater.domain.base import Value
from headwater.domain.names import TableName


class LeftBehind(Value):
    """A folder that somebody may have left."""

    place: str
    """As people find it: a path below the warehouse, the exchange or the home."""
    written_at: AwareDatetime
    """When anything in it was last written."""
    run_keys: tuple[str, ...] = ()
    """Runs that may still come for it."""
    table: TableName | None = None
    """Of the folder of a physical table: what the table was called. Its releases may name files of the folder."""
    location: str = ""
    """Of such a folder, as the table's metadata names it."""
    is_referenced: bool = False
    """The catalog points into it."""
    files: int = 0
    size_bytes: int = 0


class Leftovers(Protocol):
    """One kind of folder. Implementations raise HeadwaterError when the storage or the catalog does not answer."""

    def found(self) -> Iterable[LeftBehind]:
        """Every one, each looked at when it is asked for."""
        ...

    def remove(self, left: LeftBehind) -> bool:
        """Remove the folder with all that is in it, unless it was written to or referred to since it was looked at.

        :returns: whether it is gone.
        """
        ...
