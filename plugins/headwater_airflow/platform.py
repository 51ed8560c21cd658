"""The composition root of tasks and triggers: this installation's platform, with Airflow's connections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headwater_airflow.hooks.connections import AirflowConnections
from headwater_airflow.hooks.run_states import TaskRunStates

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform


def open_task_platform(repository: Path | None = None) -> LocalPlatform:
    """The platform a task works with.

    :param repository: root of the files the run's DAG came from; a Git bundle pins it to one commit. None means the
        profile's.
    :raises SpecError: when the profile is missing or wrong.
    """
    from headwater.adapters.platform import open_platform

    return open_platform(connections=AirflowConnections(), run_states=lambda _: TaskRunStates(), repository=repository)
