"""What every stage does around its use case."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.domain.run import RunKey
from headwater.model.repository import load_pipeline
from headwater.services.context import RunContext, spec_as_planned
from headwater_airflow.callbacks import failure_context
from headwater_airflow.metrics import measured_stage, tell_report
from headwater_airflow.operators.bundle import bundle_version
from headwater_airflow.operators.failing import airflow_errors
from headwater_airflow.platform import open_task_platform
from headwater_airflow.ui.links import IncidentLink, ReleaseLink

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headwater.adapters.platform import LocalPlatform
    from headwater.domain.engine_errors import DriverAtWork
    from headwater.ports.platform import Platform
    from headwater.services.report import StageReport


@dataclass(frozen=True)
class Stage:
    """A stage at work: the platform, the run it works for, and Airflow's context."""

    platform: Platform
    run: RunContext
    context: Context


class StageOperator(BaseOperator):
    """A stage of one pipeline's chain.

    :param file: the pipeline's YAML file, relative to the repository; the whole spec is loaded from it at run time.
    :param pipeline: name of the source or product.
    """

    template_fields: Sequence[str] = ()
    operator_extra_links = (ReleaseLink(), IncidentLink())
    ui_color = "#e8f1f2"
    works_by_plan = True
    """Whether the stage works by the spec stored with the plan; the stages before the plan read the files."""

    def __init__(self, *, file: str, pipeline: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.pipeline = pipeline
        self._platform: LocalPlatform | None = None

    def execute(self, context: Context) -> Any:
        """Run the stage. :raises AirflowFailException: when a retry would not help."""
        with self.measured():
            return self._worked(self.open(context))

    def execute_after_driver(self, context: Context, event: dict[str, Any] | None = None, *, attempt: str) -> Any:
        """Go on where the task left its worker to a driver. :raises AirflowFailException: when no retry would help."""
        with self.measured():
            self.log.info("waited: %s", (event or {}).get("said", "no word of the driver"))
            return self._worked(self.open(context, waited_for=attempt))

    def _worked(self, stage: Stage) -> Any:
        """Run the stage, or defer while its driver is at work: no worker slot is held (ADR 22)."""
        from headwater.domain.engine_errors import StageRunningError

        try:
            return self.run_stage(stage)
        except StageRunningError as running:
            if running.driver is not None:
                self._wait_for(running.driver)
            raise

    def _wait_for(self, driver: DriverAtWork) -> None:
        from headwater_airflow.triggers.driver import DriverTrigger

        self.log.info("waiting for %s", ", ".join(f"{name} {text}" for name, text in driver.application.items()))
        self.defer(
            trigger=DriverTrigger(driver=driver.model_dump(mode="json")),
            method_name=self.execute_after_driver.__name__,
            kwargs={"attempt": driver.attempt},
        )

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Around the work of a stage: how it ended reaches Airflow, and its metrics."""
        with airflow_errors(), measured_stage(self.pipeline, self.task_id):
            yield

    @abstractmethod
    def run_stage(self, stage: Stage) -> Any:
        """Call the use case; what it returns goes to XCom as small JSON."""

    def open(self, context: Context, waited_for: str | None = None) -> Stage:
        """Load the spec from the files beside the DAG, and the platform of this installation.

        :param waited_for: the attempt whose driver this task has waited for.
        """
        repository = self.repository
        platform = self._platform = open_task_platform(repository)
        platform.defer_stages(waited_for)
        instance = context["ti"]
        key = RunKey(installation=platform.runs.installation(), dag_id=instance.dag_id, run_id=instance.run_id)
        planned = spec_as_planned(platform, key, self.file) if self.works_by_plan else None
        failure = failure_context(context)
        run = RunContext(
            spec=planned or load_pipeline(repository, repository / self.file),
            run_key=key,
            holder=f"{instance.dag_id} / {instance.run_id} / {instance.task_id}",
            bundle_version=bundle_version(context),
            try_number=failure.try_number,
            run_url=failure.run_url,
            log_url=failure.log_url,
        )
        return Stage(platform, run, context)

    def on_kill(self) -> None:
        """Airflow ends the task: its Spark job ends with it."""
        if self._platform is not None:
            self._platform.stop_work()

    @property
    def repository(self) -> Path:
        """Root of the repository this run's DAG file came from: a Git bundle pins it to one commit."""
        return Path(self.dag.fileloc).resolve().parent.parent

    def tell(self, report: StageReport) -> dict[str, Any]:
        """Log one line per table, send its metrics, and return what other tasks and people may need of the report."""
        tell_report(self.pipeline, report)
        for line in report.lines():
            self.log.info("%s", line)
        return {
            "stage": report.stage,
            "tables": {outcome.table: outcome.status for outcome in report.outcomes},
            "changed": [changed.table.dotted for changed in report.changed],
            "held": list(report.held),
            "release": report.release,
        }
