"""Processes that live as long as the node does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

PATIENCE_SECONDS = 120.0
STOP_SECONDS = 20.0


class Processes:
    """What was started, with one log each in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self._started[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environ, cwd=self.folder)

    def wait_for(
        self, look: Callable[[], Found | None], what: str, seconds: float = PATIENCE_SECONDS, every: float = 0.3
    ) -> Found:
        """What others bring about, or what they said when they do not.

        :param every: seconds between two looks; a look costs the machine something, too.
        """
        until = time.monotonic() + seconds
        while (found := look()) is None:
            ended = [name for name, process in self._started.items() if process.poll() is not None]
            assert ended == [], f"{ended} ended\n{self.said()}"
            assert time.monotonic() < until, f"{what}\n{self.said()}"
            time.sleep(every)
        return found

    def said(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.stem}\n{path.read_text(errors='replace')[-2500:]}" for path in logs)

    def stop(self) -> None:
        for process in reversed(self._started.values()):
            process.terminate()
        for process in reversed(self._started.values()):
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    """They are gone afterwards; what the containers' own keepers are is ended with the namespace of processes."""
    made = Processes(folder)
    try:
        yield made
    finally:
        made.stop()
