"""A process that is killed around the start of a job elsewhere: the job runs once, and its delivery is read once."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.bad_input.bad_input import WrongData
from tests.bad_input.shop import Shop
from tests.chain.stage import context
from tests.faults.extract.killed_stage import stage
from tests.integration.sources.external.job_service import TOKEN, JobService, serving

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.platform import LocalPlatform

EXTRACT = """{kind: external, path: in, manifest: "in/{key}.manifest.json", columns: {id: int, note: string},
      job: {connection: jobs, start: /jobs, status: "/jobs/{id}", find: "/jobs?key={key}"}}"""
CASE = WrongData("", "a job", (), extract=EXTRACT, silver="{mode: append}", landed={"other.csv": b""})


@pytest.fixture
def service() -> Iterator[JobService]:
    with serving() as running:
        yield running


@pytest.fixture
def shop(postgres_server: EmbeddedPostgres, tmp_path: Path, service: JobService) -> Shop:
    shop = Shop(tmp_path, postgres_server)
    shop.declare(CASE)
    connection = {"conn_type": "http", "host": f"http://127.0.0.1:{service.port}", "password": TOKEN}
    with shop.connections.open("a") as kept:
        kept.write(f"jobs={json.dumps(connection)}\n")

    def deliver(body: dict[str, Any]) -> None:
        content = b"id,note\n1,a\n2,b\n"
        (shop.landing / "in" / f"{body['key']}.csv").write_bytes(content)
        listed = {"files": [{"path": f"{body['key']}.csv", "size": len(content), "rows": 2}]}
        (shop.landing / "in" / f"{body['key']}.manifest.json").write_text(json.dumps(listed))
        service.end()

    service.on_start = deliver
    return shop


@pytest.mark.parametrize("point", ["job.before_start", "job.after_start", "extract.before_commit"])
def test_a_job_is_started_once_whenever_the_process_dies(shop: Shop, service: JobService, point: str) -> None:
    assert stage(shop, "plan_run").returncode == 0
    assert stage(shop, "extract_to_bronze:orders", f"{point}:kill").returncode == -signal.SIGKILL
    done = stage(shop, "extract_to_bronze:orders")
    assert done.returncode == 0, done.stderr
    assert len(service.started) == 1
    platform = LocalPlatform(shop.settings)
    rows, _ = shop.where_rows_are(context(platform, "shop", "one"))
    platform.close()
    assert rows == "bronze: 1, 2"
    assert TOKEN not in done.stderr + done.stdout
