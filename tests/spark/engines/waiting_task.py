"""A task that waits for its job, as Airflow's do: ``waiting_task.py <job.json>``, by the profile in force."""

from __future__ import annotations

import sys
from pathlib import Path

from headwater.adapters.platform import open_platform
from headwater.domain.job import JobSpec

if __name__ == "__main__":
    open_platform().engine.run(JobSpec.model_validate_json(Path(sys.argv[1]).read_text()))
