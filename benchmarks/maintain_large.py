"""Maintenance of a large table of small files: time, memory, files left, and every kept release afterwards.

    uv run python benchmarks/maintain_large.py --rows 5000000 --files 3000 --releases 300 --writer-seconds 10

A bronze table in many releases of few rows each; the newest thirtieth and a consumer's tags in the middle have to stay.
Then every step by the engine ``connect``, first with nobody else at work, then (``--writer-seconds``) beside a run that
takes the table over, appends and publishes at that pace. Each kept release is read by the file it names: its rows and
a hash over all values have to be what was written. Prints seconds, the largest memory of the Spark server and of this
process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from large_history import MIB, Bench, bench, say

from headwater.adapters.spark_connect.server import ConnectServer
from headwater.domain.errors import StaleBaseError


@dataclass
class Memory:
    """The largest memory of processes, looked at while a block runs; bytes."""

    pids: dict[str, int]
    most: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def watched(self, what: str) -> Iterator[None]:
        over, began, used = threading.Event(), time.perf_counter(), self._used()

        def watch() -> None:
            while not over.wait(0.2):
                for name, pid in self.pids.items():
                    self.most[name] = max(self.most.get(name, 0), psutil.Process(pid).memory_info().rss)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()
        now = self._used()
        told = ", ".join(
            f"{name} {most / MIB:.0f} MiB, {now[name] - used[name]:.1f} s" for name, most in self.most.items()
        )
        say(f"{what}: {time.perf_counter() - began:.1f} s; largest memory and processor time: {told}")

    def _used(self) -> dict[str, float]:
        times = {name: psutil.Process(pid).cpu_times() for name, pid in self.pids.items()}
        return {name: time.user + time.system for name, time in times.items()}


@contextmanager
def writing(made: Bench, pace: float, rows: int) -> Iterator[None]:
    """Runs of their own beside the block; each takes the table over."""
    over, told, waits = threading.Event(), {"published": 0, "stale": 0}, [0.0]

    def write() -> None:
        while not over.wait(pace):
            run = f"beside{made.rows}"
            waits.append(made.take(run))
            try:
                made.append(run, rows, 10)
                told["published"] += 1
            except StaleBaseError:
                told["stale"] += 1
            made.runs.release_leases(made.key(run))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
    say(
        f"runs beside it: {told['published']} published, {told['stale']} had a stale base; "
        f"the longest wait for the table was {max(waits):.1f} s"
    )


def main(rows: int, files: int, releases: int, pace: float) -> int:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder, bench(Path(folder)) as made:
        began = time.perf_counter()
        for number in range(releases):
            made.append(f"r{number}", rows // releases, files // releases)
            if number % (releases // 5 or 1) == releases // 10:
                made.tag(f"used_by_gold__bench__g{number}")
        say(f"{releases} releases written in {time.perf_counter() - began:.0f} s")
        with ConnectServer(made.settings).used():
            state = ConnectServer(made.settings).state()
            assert state is not None
            memory = Memory({"Spark": state.pid, "maintenance": psutil.Process().pid})
            _round(made, memory, releases - max(1, releases // 30), 0.0, rows // releases)
            if pace:
                for number in range(max(1, releases // 6)):
                    made.append(f"s{number}", rows // releases, files // releases)
                _round(made, memory, releases - max(1, releases // 30), pace, rows // releases)
    return 0


def _round(made: Bench, memory: Memory, kept: int, pace: float, rows: int) -> None:
    made.keep_from(kept)
    made.describe()
    with memory.watched("all steps"):
        if pace:
            with writing(made, pace, rows):
                made.maintain()
        else:
            made.maintain()
    made.describe()
    made.check(made.releases[kept:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--releases", type=int, default=300)
    parser.add_argument("--writer-seconds", type=float, default=10.0)
    options = parser.parse_args()
    sys.exit(main(options.rows, options.files, options.releases, options.writer_seconds))
