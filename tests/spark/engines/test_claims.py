"""A driver works only while the claim names its attempt. Needs no Spark."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headwater.adapters.spark_applications.exchange import Claim, Exchange
from headwater.domain.errors import EngineError
from headwater_spark.entrypoints.run_application import NOT_CLAIMED_EXIT

DRIVER = """
import sys, threading
from headwater.adapters.spark_applications.exchange import Exchange
from headwater_spark.entrypoints import run_application
run_application.CLAIM_SECONDS = 0.05
arguments = (Exchange.of(sys.argv[1], "key"), "mine", threading.Event())
threading.Thread(target=run_application.end_unless_claimed, args=arguments, daemon=True).start()
print("at work", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("successor", ["another", None])
def test_a_driver_ends_by_itself_when_its_claim_is_anothers_or_gone(tmp_path: Path, successor: str | None) -> None:
    exchange, at = Exchange.of(str(tmp_path), "key"), datetime(2026, 1, 1, tzinfo=UTC)
    exchange.write_claim(Claim(attempt="mine", since=at))
    command = [sys.executable, "-c", DRIVER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"at work\n"
        assert driver.poll() is None
        if successor is None:
            exchange.forget()
        else:
            exchange.write_claim(Claim(attempt=successor, since=at))
        assert driver.wait(60) == NOT_CLAIMED_EXIT


def test_a_driver_that_comes_when_its_job_was_taken_back_does_nothing(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="taken back"):
        Exchange.of(str(tmp_path), "key").job("mine")
