"""What generating DAGs from YAML costs, beside a plain Python loop that builds the same DAGs.

    uv run python benchmarks/parse_scale.py

Prints the ratio for 1,000 copies of one source (budget 1.25) and the seconds to build one DAG at task start in a
folder of 10,000 (budget 0.060). Processor time, best of four, because the machine may be shared.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from headwater.model.repository import load_pipeline
from headwater_airflow.dag_factory import register_sources
from headwater_airflow.dag_factory.pipeline import build_dag

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "flights"
CONTEXT = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"
REQUIRES = ">=0.1,<0.2"


def copies(folder: Path, count: int) -> Path:
    """A repository with ``count`` sources that differ in name only; their SQL and contracts are shared by links."""
    (folder / "dags" / "sources").mkdir(parents=True)
    text = (ROOT / "dags" / "sources" / f"{SOURCE}.yaml").read_text()
    parts = ["sql/gold", "include/contracts/bronze", "include/contracts/silver", "include/contracts/gold"]
    for part in [*parts, "tests/sources"]:
        (folder / part).mkdir(parents=True)
    for number in range(count):
        name = f"copy{number:05d}"
        (folder / "dags" / "sources" / f"{name}.yaml").write_text(text)
        for part in [*parts, "tests/sources"]:
            (folder / part / name).symlink_to(ROOT / part / SOURCE)
    return folder


def best(*works: Callable[[], object], rounds: int = 4) -> list[float]:
    """Least processor time of each work, in seconds. They take turns, so that a busy machine disturbs all alike."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            gc.collect()
            started = time.process_time()
            work()
            taken.append(time.process_time() - started)
    return [min(taken) for taken in times]


def from_yaml(repository: Path) -> dict[str, object]:
    """What ``dags/sources.py`` does."""
    found: dict[str, object] = {}
    register_sources(found, repository, REQUIRES)
    return found


def measure(folder: Path) -> int:
    """Print both numbers; the exit status says whether both budgets hold."""
    small = copies(folder / "small", 1000)
    specs = [load_pipeline(small, file, deep=False) for file in sorted((small / "dags" / "sources").iterdir())]
    plain, generated = best(lambda: [build_dag(spec, spec.file) for spec in specs], lambda: from_yaml(small))
    assert len(from_yaml(small)) == len(specs)
    print(f"1,000 sources: plain loop {plain:.2f} s, from YAML {generated:.2f} s, ratio {generated / plain:.2f}")
    large = copies(folder / "large", 10_000)
    os.environ[CONTEXT] = "copy07777"
    (one,) = best(lambda: from_yaml(large))
    assert set(from_yaml(large)) == {"copy07777"}
    print(f"one DAG at task start among 10,000: {one * 1000:.1f} ms")
    return int(generated / plain > 1.25 or one > 0.060)


if __name__ == "__main__":
    place = Path(tempfile.mkdtemp(prefix="headwater-parse-"))
    try:
        sys.exit(measure(place))
    finally:
        shutil.rmtree(place)
