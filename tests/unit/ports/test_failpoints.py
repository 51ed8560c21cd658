"""Failpoints do nothing unless armed by name."""

from __future__ import annotations

import os
import signal
import time

import pytest

from headwater.ports.failpoints import VARIABLE, FailpointError, failpoint


def test_nothing_happens_unless_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    failpoint("publish.after_intent")
    monkeypatch.setenv(VARIABLE, "publish.before_intent:raise")
    failpoint("publish.after_intent")


@pytest.mark.parametrize("armed", ["here:raise", "elsewhere:kill,here:raise"])
def test_an_armed_point_is_reached(monkeypatch: pytest.MonkeyPatch, armed: str) -> None:
    monkeypatch.setenv(VARIABLE, armed)
    with pytest.raises(FailpointError, match="failpoint here was reached"):
        failpoint("here")


@pytest.mark.parametrize("armed", ["here", "here:explode"])
def test_a_point_armed_with_no_known_action_is_no_silent_success(monkeypatch: pytest.MonkeyPatch, armed: str) -> None:
    monkeypatch.setenv(VARIABLE, armed)
    with pytest.raises(FailpointError, match="armed wrongly") as refused:
        failpoint("here")
    assert refused.value.allowed == "kill, pause, raise, hang"


def _reach(action: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """A child that reaches the armed point, and ends with 7 when it gets past it."""
    monkeypatch.setenv(VARIABLE, f"here:{action}")
    child = os.fork()
    if child == 0:
        failpoint("here")
        os._exit(7)
    return child


def test_kill_ends_the_process_as_kill_9_does(monkeypatch: pytest.MonkeyPatch) -> None:
    child = _reach("kill", monkeypatch)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_pause_stops_the_process_until_it_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    child = _reach("pause", monkeypatch)
    assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
    os.kill(child, signal.SIGCONT)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_hang_waits_until_the_process_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    child = _reach("hang", monkeypatch)
    time.sleep(0.2)
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
