"""What Spark applications run on where nobody says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.domain.errors import EngineError

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform
    from headwater.adapters.spark_applications.applications import Applications


def submitted_applications(platform: LocalPlatform) -> Applications:
    """Applications that need no more than this machine's spark-submit.

    :raises EngineError: when the profile names Kubernetes, which only Airflow's tasks reach.
    """
    if platform.settings.spark.mode == "kubernetes":
        raise EngineError(
            "the engine kubernetes works for Airflow's tasks only",
            allowed="connect or submit as `spark.mode` of the profile of this command",
            remedy="Give the command a profile of its own, or start the run in Airflow.",
        )
    if platform.settings.spark.master == "yarn":
        from headwater.adapters.spark_submit.yarn_drivers import YarnDrivers

        return YarnDrivers(platform.settings, platform.connections)
    from headwater.adapters.spark_submit.local_drivers import LocalDrivers

    return LocalDrivers(platform.settings, platform.connections)
