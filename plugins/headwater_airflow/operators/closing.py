"""The end of a run: what the catalogue of metadata is told, and the run's own verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater.domain.lineage import TaskFacts
from headwater_airflow.operators.base import Stage, StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class EmitLineageOperator(StageOperator):
    """Tell the catalogue of metadata; what cannot be sent is spooled and never fails data."""

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Emit."""
        from headwater.services.stages import lineage

        return self.tell(lineage.run(stage.platform, stage.run, task_facts(stage.context)))


class CloseRunOperator(StageOperator):
    """Give back the leases and say how the run ended: red when anything failed or was held (rule 25)."""

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Close the run."""
        from headwater.services.stages import closing

        return self.tell(closing.run(stage.platform, stage.run, task_states(stage.context)))


def task_states(context: Context) -> dict[str, str]:
    """State of every other task of the run; an expanded one is ``<task>_<map index>``."""
    instance = context["ti"]
    states = instance.get_task_states(instance.dag_id, run_ids=[instance.run_id])[instance.run_id]
    return {task: str(state) for task, state in states.items() if task != instance.task_id and state is not None}


def task_facts(context: Context) -> tuple[TaskFacts, ...]:
    """The other tasks of the run that ended, as the catalogue of metadata is told."""
    facts = []
    for task, state in task_states(context).items():
        if state in {"success", "failed", "skipped"}:
            facts.append(TaskFacts.model_validate({"task_id": task, "state": state}))
    return tuple(facts)
