"""Who uses a server, and whether it is the one that was started."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import psutil

from headwater.adapters.spark_connect.server_state import (
    ServerFiles,
    ServerState,
    free_port,
    is_process,
    locked,
    nobody_holds,
    port_answers,
)


def test_a_process_is_known_by_id_and_start_together() -> None:
    started = psutil.Process().create_time()
    assert is_process(os.getpid(), started)
    assert not is_process(os.getpid(), started - 100)


def test_the_state_survives_a_round_trip(tmp_path: Path) -> None:
    files = ServerFiles(tmp_path)
    assert files.read_state() is None
    state = ServerState(pid=1, started=2.5, keeper_pid=3, port=4, java="/j")
    files.write_state(state)
    assert files.read_state() == state


def test_a_user_is_seen_until_it_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "users.lock"
    with locked(path, fcntl.LOCK_SH), locked(path, fcntl.LOCK_SH):
        assert not nobody_holds(path)
    assert nobody_holds(path)


def test_a_free_port_answers_nobody() -> None:
    assert not port_answers(free_port())
