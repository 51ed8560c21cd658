"""The composition root of tasks and triggers: this installation's platform, with Airflow's connections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headwater_airflow.hooks.connections import AirflowConnections
from headwater_airflow.hooks.run_states import TaskRunStates

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform
    from headwater.adapters.spark_applications.applications import Applications


def open_task_platform(repository: Path | None = None) -> LocalPlatform:
    """The platform a task works with.

    :param repository: root of the files the run's DAG came from; a Git bundle pins it to one commit. None means the
        profile's.
    :raises SpecError: when the profile is missing or wrong.
    """
    from headwater.adapters.platform import open_platform

    return open_platform(
        connections=AirflowConnections(),
        run_states=lambda _: TaskRunStates(),
        repository=repository,
        applications=_applications,
    )


def _applications(platform: LocalPlatform) -> Applications:
    from headwater.adapters.spark_submit.opening import submitted_applications

    if platform.settings.spark.mode != "kubernetes":
        return submitted_applications(platform)
    from headwater_airflow.hooks.spark_applications import KubernetesApplications

    return KubernetesApplications(platform.settings)
