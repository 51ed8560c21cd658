"""The engine under kill -9: nothing reaches main, a rerun is like an uninterrupted run, a dead server is replaced."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from headwater.adapters.spark_connect import job_forks
from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.domain.errors import EngineError
from headwater.domain.job import BuildTable, JobSpec
from headwater.domain.names import Layer
from headwater.domain.settings import Settings
from headwater.domain.spec import GoldSpec
from headwater.ports import failpoints

COLUMNS = "k bigint, v string, u timestamp"
ROWS = ["1, 'a', TIMESTAMP '2026-01-05 00:00:00Z'", "2, 'b', TIMESTAMP '2026-01-05 00:00:00Z'"]


def branches(lake: Any, table: Any) -> set[str]:
    if not lake.spark.catalog.tableExists(table.iceberg):
        return set()
    return {row.name for row in lake.spark.sql(f"SELECT name FROM {table.iceberg}.refs").collect()} - {"main"}


def gold_job(lake: Any) -> JobSpec:
    """The quickest job that writes."""
    gold = lake.name(Layer.GOLD, "g")
    spec = GoldSpec(name="g", grain=("k",), sql="SELECT explode(sequence(1, 3)) AS k")
    table = BuildTable(spec=spec, gold=gold, base=lake.heads.get(gold), inputs={}, state=lake.state(1))
    job: JobSpec = lake.job("build_gold", 1, build=(table,))
    return job


@pytest.fixture
def own_engine(settings: Settings, tmp_path: Path) -> Iterator[ConnectEngine]:
    """A home of its own over the same lake, so that the shared server stays."""
    engine = ConnectEngine(settings.model_copy(update={"home": str(tmp_path)}))
    yield engine
    engine.server.stop()


def test_a_killed_job_leaves_main_alone_and_its_rerun_is_whole(
    lake: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules 2, 10, 11: what a dead attempt committed sits on its own branch and means nothing."""
    engine, spec, silver = ConnectEngine(settings), lake.spec("upsert"), lake.name(Layer.SILVER)
    source = lake.bronze(1, COLUMNS, ROWS)
    dead = []
    for point in ("refine.before_write", "refine.after_write"):
        monkeypatch.setenv(failpoints.VARIABLE, f"{point}:kill")
        job = lake.job("refine", 1, refine=(lake.refine_spec(spec, source),))
        with pytest.raises(EngineError) as raised:
            engine.run(job)
        assert raised.value.retry_helps
        dead.append(f"hw_{job.attempt}")
    monkeypatch.delenv(failpoints.VARIABLE)
    assert branches(lake, silver) == {dead[1]}

    again = engine.run(lake.job("refine", 1, refine=(lake.refine_spec(spec, source),))).tables[0]

    assert again.status == "staged", again.error
    assert lake.rows(silver) == []
    lake.publish(again.staged)
    assert [(r.k, r.v) for r in lake.rows(silver, order="k")] == [(1, "a"), (2, "b")]
    assert branches(lake, silver) == {dead[1]}


def test_no_secret_is_in_the_arguments_of_any_process(settings: Settings, remote: str) -> None:
    token = remote.rpartition("token=")[2]
    secrets = {token, settings.catalog.jdbc_password.get_secret_value()}
    state = ConnectServer(settings).state()
    assert state is not None
    keeper = psutil.Process(state.keeper_pid)
    lines = [" ".join(process.cmdline()) for process in (keeper, *keeper.children())]
    assert not [line for line in lines if any(secret in line for secret in secrets)]


def test_what_jobs_are_forked_from_has_imported_them_and_runs_no_thread(settings: Settings, remote: str) -> None:
    """A lock that another thread holds while a process is forked is never let go in the fork."""
    state = ConnectServer(settings).state()
    assert state is not None
    (forking,) = (
        process for process in psutil.Process(state.keeper_pid).children() if job_forks.__name__ in process.cmdline()
    )
    assert any("pyarrow" in mapped.path for mapped in forking.memory_maps())
    assert forking.num_threads() == 1


def test_a_job_fails_with_its_killed_server_and_the_next_one_starts_another(
    lake: Any, own_engine: ConnectEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    def kill_when_written() -> None:
        deadline = time.monotonic() + 120
        while not branches(lake, lake.name(Layer.GOLD, "g")) and time.monotonic() < deadline:
            time.sleep(0.5)
        state = own_engine.server.state()
        if state is not None:
            killed.append(state.pid)
            os.kill(state.pid, signal.SIGKILL)

    monkeypatch.setenv(failpoints.VARIABLE, "gold.after_write:hang")
    killer = threading.Thread(target=kill_when_written)
    killer.start()
    with pytest.raises(EngineError) as raised:
        own_engine.run(gold_job(lake))
    killer.join()
    monkeypatch.delenv(failpoints.VARIABLE)
    assert raised.value.retry_helps
    assert killed

    again = own_engine.run(gold_job(lake)).tables[0]

    assert again.status == "staged", again.error
    state = own_engine.server.state()
    assert state is not None
    assert state.pid not in killed
    own_engine.server.stop()
    assert own_engine.server.state() is None
    gold = lake.name(Layer.GOLD, "g")
    assert lake.rows(gold) == []
    lake.publish(again.staged)
    assert [row.k for row in lake.rows(gold, order="k")] == [1, 2, 3]
