"""Maintenance as a process of its own, for a test that kills it: ``killed.py <profile> <table> <step>``."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import cast

from headwater.adapters.platform import LocalPlatform
from headwater.adapters.profile import load_settings
from headwater.domain.maintenance import Step
from headwater.domain.names import MAINTENANCE, TableName
from headwater.domain.run import RunKey
from headwater.services.maintenance.maintaining import maintain_table
from headwater_spark.entrypoints.run_job import REMOTE_VARIABLE, run_job


class _Engine:
    """The job in this very process, so that it dies with it."""

    def run(self, job: object) -> object:
        return run_job(job, os.environ[REMOTE_VARIABLE])  # type: ignore[arg-type]


class _Platform(LocalPlatform):
    engine = _Engine()  # type: ignore[assignment]


def main(profile: str, table: str, step: str) -> None:
    """Do one step at one table."""
    settings = load_settings({**os.environ, "HEADWATER_PROFILE": profile})
    key = RunKey(installation="i", dag_id=MAINTENANCE, run_id="killed")
    with closing(_Platform(settings)) as platform:
        list(
            maintain_table(
                platform, TableName.parse(table), run_key=str(key), holder="killed", steps=(cast("Step", step),)
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:4])
