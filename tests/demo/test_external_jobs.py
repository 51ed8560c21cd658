"""A source whose job runs elsewhere, in the real scheduler and triggerer: nobody waits in a worker."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.demo.dag_runs import Runs, until
from tests.demo.served_demo import Demo
from tests.integration.sources.external.job_service import TOKEN, JobService, serving

pytestmark = pytest.mark.timeout(900)
YAML = "dags/sources/orders.yaml"
SOURCE = """
description: Orders of the shop, which its own job exports.
owner: {team: shop-data, email: [shop-data@example.com]}
schedule: manual
connection: shop_landing
tables:
  orders:
    description: One row per order.
    key: [id]
    extract:
      kind: external
      path: orders
      manifest: "orders/{key}.manifest.json"
      columns: {id: int, note: string}
      job:
        {connection: shop_jobs, start: /jobs, status: "/jobs/{id}", parameters: {dataset: orders}, poll_every: 1s}
    silver: {mode: append}
"""
CONTRACT = """
dataset: lake/{layer}/orders__orders
checks:
  - row_count: {{threshold: {{must_be_greater_than: 0}}}}
columns:
  - {{name: id, checks: [{{missing: {{}}}}]}}
"""
CONTENT = b"id,note\n1,a\n2,b\n"


def connect(demo: Demo, landing: Path, service: JobService) -> None:
    """Two connections more, as somebody would add them."""
    with (demo.home / "connections.env").open("a") as file:
        file.write(f"shop_landing=fs://?{urlencode({'path': landing})}\n")
        file.write(f"shop_jobs=http://:{TOKEN}@127.0.0.1:{service.port}\n")


@contextmanager
def source_files(demo: Demo) -> Iterator[None]:
    """The YAML last: the DAG is made of it. None stays: a contract that no table uses is an error."""
    contracts = demo.repository / "include" / "contracts"
    folders = {layer: contracts / layer / "orders" for layer in ("bronze", "silver")}
    for layer, folder in folders.items():
        folder.mkdir(parents=True)
        (folder / "orders.yml").write_text(CONTRACT.format(layer=layer))
    (demo.repository / YAML).write_text(SOURCE)
    yield
    (demo.repository / YAML).unlink()
    for folder in folders.values():
        shutil.rmtree(folder)


def deliver(landing: Path, key: str) -> None:
    """What the job writes: its file, then its manifest."""
    (landing / "orders" / "1.csv").write_bytes(CONTENT)
    listed = {"files": [{"path": "1.csv", "size": len(CONTENT), "rows": 2}]}
    (landing / "orders" / f"{key}.manifest.json").write_text(json.dumps(listed))


def test_a_run_waits_for_its_job_without_a_worker_and_reads_what_it_delivered(demo: Demo, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    (landing / "orders").mkdir(parents=True)
    with serving() as service, demo.logged_in("admin") as api, source_files(demo):
        connect(demo, landing, service)
        runs = Runs(api, "orders")
        until("the DAG is there", runs.is_there)
        run_id = runs.start(reason="the first export")
        until("the run has planned", lambda: runs.is_in("success", run_id, "plan_run"))
        until("the extract waits", lambda: runs.is_in("deferred", run_id, "extract_to_bronze/0"))
        assert len(service.started) == 1

        deliver(landing, str(service.started[0][0]["key"]))
        service.end()
        assert (runs.outcome(run_id), len(service.started)) == ("success", 1)
    asked = demo.shell('headwater query "select id, note from silver.orders.orders order by id" --json')
    assert json.loads(asked.stdout) == [{"id": 1, "note": "a"}, {"id": 2, "note": "b"}]
