"""Maintenance as a process of its own, for a test that kills it: ``killed.py <profile> <table> <step>``."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import cast

from headwater.adapters.platform import LocalPlatform
from headwater.adapters.profile import load_settings
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.maintenance import Step
from headwater.domain.names import MAINTENANCE, TableName
from headwater.domain.run import RunKey
from headwater.ports.upkeep import MaintainingPlatform
from headwater.services.maintenance.table import maintain_table
from headwater_spark.entrypoints.run_job import REMOTE_VARIABLE, run_job


class _Engine:
    """The job in this very process, so that it dies with it."""

    def run(self, job: JobSpec) -> JobResult:
        return run_job(job, os.environ[REMOTE_VARIABLE])


def main(profile: str, table: str, step: str) -> None:
    """Do one step at one table."""
    settings = load_settings({**os.environ, "HEADWATER_PROFILE": profile})
    key = RunKey(installation="i", dag_id=MAINTENANCE, run_id="killed")
    with closing(LocalPlatform(settings)) as opened:
        platform = cast("MaintainingPlatform", opened)
        vars(opened)["engine"] = _Engine()
        list(
            maintain_table(
                platform, TableName.parse(table), run_key=str(key), holder="killed", steps=(cast("Step", step),)
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:4])
