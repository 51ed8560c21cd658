"""The demo's Spark stages through the shared Connect server, against one ``spark-submit`` per stage.

    uv run python benchmarks/spark_stages.py --rounds 3

Refine, validate silver, build gold and validate gold of January's flights, four tables and one gold table. ``cold``
starts the server, ``warm`` is what the same server does next, ``submit`` is a Spark application per stage on the same
jars, catalog, cores and memory. They take turns; a time counts only when rows, verdicts and checksums of all agree.
Medians are compared. Goals: warm at most 0.3 of submit, cold at most 0.65. Processor seconds of everything that took
part (jobs, server, submits) are told beside, because they hardly care who else is on the machine.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from january_in_bronze import (
    RecordingPlatform,
    forget_silver_and_gold,
    installation,
    outcome,
    recorded_jobs,
    run_stages,
)
from spark_submitting import SubmittedStages

from headwater.domain.job import JobResult, JobSpec

GOALS = {"warm": 0.3, "cold": 0.65}


@dataclass(frozen=True, slots=True)
class Round:
    """What one way took for all stages."""

    seconds: float
    cpu_seconds: float
    made: dict[str, str]


def cpu_seconds(platform: RecordingPlatform) -> float:
    """Of all children that ended, with theirs, and of the server."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    state = platform.engine.server.state()
    server = psutil.Process(state.pid).cpu_times() if state else None
    return ended.ru_utime + ended.ru_stime + (server.user + server.system if server else 0.0)


def timed(platform: RecordingPlatform, jobs: tuple[JobSpec, ...], engine: Callable[[JobSpec], JobResult]) -> Round:
    """Run all stages once; each one's own seconds are printed."""
    forget_silver_and_gold(platform)
    stages: list[str] = []

    def run(job: JobSpec) -> JobResult:
        began = time.monotonic()
        result = engine(job)
        stages.append(f"{job.kind} {time.monotonic() - began:.1f}")
        return result

    began, cpu = time.monotonic(), cpu_seconds(platform)
    results = run_stages(jobs, run)
    seconds, cpu = time.monotonic() - began, cpu_seconds(platform) - cpu
    print(f"    {seconds:6.1f} s, {cpu:.1f} CPU s  ({', '.join(stages)})", flush=True)
    return Round(seconds, cpu, outcome(platform, results))


def measure(folder: Path, rounds: int, submits: Sequence[str]) -> dict[str, list[Round]]:
    """Way -> its rounds."""
    found: dict[str, list[Round]] = {}
    with installation(folder) as platform:
        jobs = recorded_jobs(platform)
        ways: dict[str, Callable[[JobSpec], JobResult]] = {"cold": platform.engine.run, "warm": platform.engine.run}
        for name in submits:
            own = SubmittedStages(platform, folder / name.replace(" ", "_"), own_jvm=name != "submit, Spark's flags")
            ways[name] = own.run
        expected: dict[str, str] = {}
        for number in range(rounds):
            for name, engine in ways.items():
                if name == "cold":
                    platform.engine.server.stop()
                print(f"  round {number + 1}, {name}", flush=True)
                done = timed(platform, jobs, engine)
                expected = expected or done.made
                if done.made != expected or any("False" in said or "failed" in said for said in expected.values()):
                    raise SystemExit(f"{name} made something else:\n{done.made}\nexpected:\n{expected}")
                found.setdefault(name, []).append(done)
    for table, said in expected.items():
        print(f"  all agree: {table}: {said}")
    return found


def main() -> int:
    """Measure and print; the exit status says whether both goals hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spark-flags", action="store_true", help="also submit with the JVM flags Spark has by itself")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headwater-benchmark-"))
    names = ["submit", *(["submit, Spark's flags"] if options.spark_flags else [])]
    try:
        found = measure(folder, options.rounds, names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wall = {name: statistics.median(one.seconds for one in rounds) for name, rounds in found.items()}
    cpu = {name: statistics.median(one.cpu_seconds for one in rounds) for name, rounds in found.items()}
    print("medians: " + ", ".join(f"{name} {wall[name]:.1f} s, {cpu[name]:.1f} CPU s" for name in wall))
    for name, goal in GOALS.items():
        share = wall[name] / wall["submit"]
        print(f"{name} / submit {share:.2f} (goal {goal}), of CPU {cpu[name] / cpu['submit']:.2f}")
    return int(any(wall[name] / wall["submit"] > goal for name, goal in GOALS.items()))


if __name__ == "__main__":
    sys.exit(main())
