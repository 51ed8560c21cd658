"""What one pass of the DAG processor costs per source, by kind of schedule: parse, serialize, first and next persist.

    uv run python benchmarks/persist_scale.py [<count of sources>]

Against a PostgreSQL of its own. Processor seconds of this process; what the database works is beside it, as elapsed
time. "next" is a pass that changes nothing, which is what an installation does all day.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from headwater.adapters.embedded.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

ROOT = Path(__file__).resolve().parents[1]
SCHEDULES: dict[str, object] = {"every: 1d": {"every": "1d"}, "cron": {"cron": "17 4 * * *"}, "manual": "manual"}


@contextmanager
def timed(label: str, count: int) -> Iterator[None]:
    """Print what the block cost per source, in milliseconds."""
    elapsed, used = time.perf_counter(), time.process_time()
    yield
    elapsed, used = time.perf_counter() - elapsed, time.process_time() - used
    print(
        f"  {label:<10} {1000 * used / count:6.2f} ms of processor, {1000 * elapsed / count:6.2f} ms elapsed",
        flush=True,
    )


def copies(folder: Path, count: int, kind: str, schedule: object) -> Path:
    """A repository of ``count`` copies of the source ``flights`` on one schedule, all with its SQL and contracts."""
    sources = folder / "dags" / "sources"
    sources.mkdir(parents=True)
    parts = [
        "sql/gold",
        "include/contracts/bronze",
        "include/contracts/silver",
        "include/contracts/gold",
        "tests/sources",
    ]
    for part in parts:
        (folder / part).mkdir(parents=True)
    content = yaml.safe_load((ROOT / "dags" / "sources" / "flights.yaml").read_text())
    content["schedule"] = schedule
    text = yaml.safe_dump(content, sort_keys=False)
    for number in range(count):
        name = f"{kind}{number:05d}"
        (sources / f"{name}.yaml").write_text(text)
        for part in parts:
            (folder / part / name).symlink_to(ROOT / part / "flights")
    return folder


def persist(dags: list[LazyDeserializedDAG]) -> None:
    """What the manager of the DAG processor does with a file's result."""
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.utils.session import create_session

    with create_session() as session:
        update_dag_parsing_results_in_db("headwater", None, dags, {}, 1.0, set(), session)


def measure(folder: Path, count: int) -> None:
    """Print the table, one block per kind of schedule."""
    from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG

    from headwater_airflow.dag_factory import register_sources

    for number, (label, schedule) in enumerate(SCHEDULES.items()):
        print(f"{label}, {count} sources of four tables")
        repository = copies(folder / f"kind{number}", count, f"kind{number}x", schedule)
        found: dict[str, object] = {}
        with timed("parse", count):
            register_sources(found, repository, ">=0.1,<0.2")
        assert len(found) == count
        with timed("serialize", count):
            dags = [LazyDeserializedDAG(data=DagSerialization.to_dict(dag)) for dag in found.values()]
        with timed("first", count):
            persist(dags)
        with timed("next", count):
            persist(dags)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    place = Path(tempfile.mkdtemp(prefix="headwater-persist-"))
    try:
        with EmbeddedPostgres(place / "postgres", durable=False) as server:
            server.create_databases(["airflow"])
            os.environ["AIRFLOW_HOME"] = str(place / "airflow")
            os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = server.url("airflow", driver="psycopg2")
            os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
            os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
            from airflow.models.dagbundle import DagBundleModel
            from airflow.utils.db import initdb
            from airflow.utils.session import create_session

            initdb()
            with create_session() as session:
                session.add(DagBundleModel(name="headwater"))
            measure(place, count)
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
