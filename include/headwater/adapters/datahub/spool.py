"""Events on their way to a server, kept as files so that neither a dead server nor a dead process loses one."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from headwater.adapters.datahub.event_file import read_documents, read_events, write_events
from headwater.adapters.datahub.proposals import Event


class EventSpool:
    """A folder of files in the order they were added; each is readable by ``datahub ingest``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused_folder = folder / "refused"

    def add(self, events: Sequence[Event]) -> Path:
        """Keep the events behind everything already waiting."""
        path = self.folder / f"{time.time_ns():020d}.json"
        write_events(path, events)
        return path

    def waiting(self) -> list[Path]:
        """Files not sent yet, oldest first."""
        return sorted(path for path in self.folder.glob("*.json") if not path.name.startswith("."))

    def count(self) -> int:
        """Events not sent yet. Another sender may be at work, so a file may go while it is counted."""
        return sum(self._count(path) for path in self.waiting())

    @staticmethod
    def _count(path: Path) -> int:
        try:
            return len(read_documents(path))
        except FileNotFoundError:
            return 0
        except ValueError:
            return 1

    def keep(self, path: Path, events: Sequence[Event]) -> None:
        """What is left of a file; nothing left removes it."""
        if events:
            write_events(path, events)
        else:
            path.unlink()

    def set_aside(self, path: Path, events: Sequence[Event]) -> None:
        """Keep events the server refuses for a person to look at, out of the way of the others."""
        aside = self.refused_folder / path.name
        write_events(aside, [*(read_events(aside) if aside.exists() else []), *events])

    def set_file_aside(self, path: Path) -> None:
        """The same for a file that is no list of events DataHub's classes know (a newer or older version's)."""
        self.refused_folder.mkdir(parents=True, exist_ok=True)
        path.replace(self.refused_folder / path.name)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One sender at a time, so that events arrive in order; the lock dies with its process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
