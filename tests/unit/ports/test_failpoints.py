"""Failpoints do nothing unless armed by name."""

from __future__ import annotations

import os
import signal

import pytest

from headwater.ports.failpoints import VARIABLE, FailpointError, failpoint


def test_nothing_happens_unless_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    failpoint("publish.after_intent")
    monkeypatch.setenv(VARIABLE, "publish.before_intent:raise")
    failpoint("publish.after_intent")


@pytest.mark.parametrize("armed", ["here:raise", "elsewhere:kill,here:raise", "here:explode"])
def test_an_armed_point_is_reached(monkeypatch: pytest.MonkeyPatch, armed: str) -> None:
    monkeypatch.setenv(VARIABLE, armed)
    with pytest.raises(FailpointError):
        failpoint("here")


def test_kill_ends_the_process_as_kill_9_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "here:kill")
    child = os.fork()
    if child == 0:
        failpoint("here")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
