"""The stages that move and judge data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater.domain.names import Layer
from headwater.domain.spec import ExternalExtract
from headwater.services.context import source_of
from headwater_airflow.operators.base import Stage, StageOperator
from headwater_airflow.triggers.job import JobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headwater.services.external_jobs import JobRunningError


class ExtractToBronzeOperator(StageOperator):
    """Stage one table's frozen window on a branch of its bronze table; expanded over the plan's tables.

    :param table: name of the table in the YAML.
    """

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Extract the table, or defer while a job elsewhere is at work on its files."""
        from headwater.services.external_jobs import JobRunningError
        from headwater.services.stages import extraction

        try:
            return self.tell(extraction.run(stage.platform, stage.run, self.table))
        except JobRunningError as running:
            self._wait(stage, running)
            raise

    def execute_after_wait(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Look at the job again after a wait. :raises AirflowFailException: when a retry would not help."""
        self.log.info("waited: %s", (event or {}).get("said", "no word of the job"))
        return self.execute(context)

    def _wait(self, stage: Stage, running: JobRunningError) -> None:
        """Defer: no worker slot is held while the job is at work."""
        table, record = source_of(stage.run).table(self.table), running.record
        if record is None or record.id is None or not isinstance(table.extract, ExternalExtract):
            return
        self.log.info("waiting until %s: %s", record.until.isoformat(timespec="seconds"), running.message)
        self.defer(
            trigger=JobTrigger(
                job=table.extract.job.model_dump(mode="json"),
                job_id=record.id,
                until=record.until.isoformat(),
                poll_seconds=table.extract.job.poll_every.total_seconds(),
                run_key=stage.run.key,
            ),
            method_name=self.execute_after_wait.__name__,
        )


class ValidateLayerOperator(StageOperator):
    """Judge exactly what this run staged in one layer; fails only when every group is held.

    :param layer: ``bronze``, ``silver`` or ``gold``.
    """

    def __init__(self, *, layer: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Validate the layer."""
        from headwater.services.stages import validation

        return self.tell(validation.run(stage.platform, stage.run, Layer(self.layer)))


class RefineToSilverOperator(StageOperator):
    """Refine published bronze batches to silver, all tables in one Spark job."""

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Refine."""
        from headwater.services.stages import refinement

        return self.tell(refinement.run(stage.platform, stage.run))


class BuildGoldOperator(StageOperator):
    """Build gold from pinned inputs, all tables in one Spark job."""

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Build."""
        from headwater.services.stages import building

        return self.tell(building.run(stage.platform, stage.run))
