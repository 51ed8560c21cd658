"""The engine of tasks that leave their worker while a driver works, and come back for its answer (ADR 22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from headwater.adapters.spark_applications.applications import ApplicationState
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.adapters.spark_applications.exchange import Claim, Exchange, fits
from headwater.adapters.spark_applications.hope import assert_hope, without_answer
from headwater.domain.engine_errors import DriverAtWork, StageRunningError
from headwater.domain.errors import EngineError
from headwater.domain.job import JobResult, JobSpec


@dataclass
class DeferringEngine(ApplicationEngine):
    """``ApplicationEngine`` that raises StageRunningError where the other would wait.

    :param waited_for: the attempt that this try has waited for already. When it is gone without an answer, the try has
        failed: only Airflow begins another one (rule 2).
    """

    waited_for: str | None = None

    def _followed(self, job: JobSpec, exchange: Exchange) -> JobResult | None:
        waited_for, self.waited_for = self.waited_for, None  # of the first job a stage has left; others are news
        if waited_for is None:
            return super()._followed(job, exchange)
        claim = exchange.claim()
        if claim is None or claim.attempt != waited_for:
            raise without_answer(ApplicationState("gone", "its claim was taken back, or over, while it was waited for"))
        result = self._answer(claim, exchange)
        if fits(job, result):
            return result
        exchange.forget()
        return None

    def _waited(self, claim: Claim, exchange: Exchange) -> JobResult:
        """One look. :raises StageRunningError: while the driver works."""
        try:
            state = self.applications.look(claim.application)
        except EngineError as error:
            if not error.retry_helps:
                raise
            state = ApplicationState("running")  # who waits asks again, and longer than a task would
        result = exchange.result(claim.attempt)
        if result is not None:
            self._let_end(claim.application)
            return result
        limits = self.settings.spark
        assert_hope(state, (datetime.now(UTC) - claim.since).total_seconds(), limits)
        driver = DriverAtWork(
            attempt=claim.attempt, application=claim.application, run_key=exchange.job(claim.attempt).run_key,
            starts_by=claim.since + limits.start_timeout, until=claim.since + limits.job_timeout,
        )  # fmt: skip
        raise StageRunningError("the Spark application is at work", facts=dict(claim.application), driver=driver)
