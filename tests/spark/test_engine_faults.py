"""The engine under kill -9: nothing reaches main, a rerun is like an uninterrupted run, a dead server is replaced."""

from __future__ import annotations

import os
import signal
from typing import Any

import psutil
import pytest

from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.domain.errors import EngineError
from headwater.domain.names import Layer
from headwater.domain.settings import Settings
from headwater.ports import failpoints

COLUMNS = "k bigint, v string, u timestamp"
ROWS = ["1, 'a', TIMESTAMP '2026-01-05 00:00:00Z'", "2, 'b', TIMESTAMP '2026-01-05 00:00:00Z'"]


@pytest.mark.parametrize("point", ["refine.before_write", "refine.after_write"])
def test_a_killed_job_leaves_main_alone_and_its_rerun_is_whole(
    lake: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Rules 2, 10, 11: what the dead attempt committed sits on its own branch and means nothing."""
    engine, spec = ConnectEngine(settings), lake.spec("upsert")
    source = lake.bronze(1, COLUMNS, ROWS)
    monkeypatch.setenv(failpoints.VARIABLE, f"{point}:kill")
    with pytest.raises(EngineError) as raised:
        engine.run(lake.job("refine", 1, refine=(lake.refine_spec(spec, source),)))
    assert raised.value.retry_helps
    monkeypatch.delenv(failpoints.VARIABLE)
    again = engine.run(lake.job("refine", 1, refine=(lake.refine_spec(spec, source),))).tables[0]
    assert again.status == "staged", again.error
    silver = lake.name(Layer.SILVER)
    assert lake.rows(silver) == []
    lake.publish(again.staged)
    assert [(r.k, r.v) for r in lake.rows(silver, order="k")] == [(1, "a"), (2, "b")]


def test_no_secret_is_in_the_arguments_of_any_process(settings: Settings, remote: str) -> None:
    token = remote.rpartition("token=")[2]
    secrets = {token, settings.catalog.jdbc_password.get_secret_value()}
    state = ConnectServer(settings).state()
    assert state is not None
    lines = [" ".join(psutil.Process(pid).cmdline()) for pid in (state.pid, state.keeper_pid)]
    assert not [line for line in lines if any(secret in line for secret in secrets)]


def test_a_killed_server_is_replaced_by_the_next_job(settings: Settings, tmp_path: Any) -> None:
    """Its own home, so that the shared server stays."""
    server = ConnectServer(settings.model_copy(update={"home": str(tmp_path)}))
    with server.used() as first:
        state = server.state()
        assert state is not None
        os.kill(state.pid, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(state.keeper_pid)], timeout=60)
        assert server.state() is None
        with server.used() as second:
            assert first != second
    server.stop()
    assert server.state() is None
