"""Whether another run is over, asked of Airflow from inside a task."""

from __future__ import annotations

from headwater.domain.run import RunKey

_LIVE = ["queued", "running"]


class TaskRunStates:
    """Works only in a task: it asks through the task's own supervisor, for a worker has no database."""

    def is_terminal(self, run_key: RunKey) -> bool:
        """True when no queued or running run has that id: it ended, was deleted, or never existed here."""
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        return RuntimeTaskInstance.get_dr_count(run_key.dag_id, run_ids=[run_key.run_id], states=_LIVE) == 0
