"""The engine of applications: claims a job, starts its driver or follows the one that runs, and takes the answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from headwater.adapters.spark_applications.applications import Application, Applications, ApplicationState
from headwater.adapters.spark_applications.exchange import Claim, Exchange, exchange_location, fits, job_key
from headwater.adapters.spark_applications.hope import assert_hope
from headwater.adapters.spark_applications.shared_folder import answering
from headwater.domain.engine_errors import StageRunningError
from headwater.domain.errors import EngineError
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.settings import Settings

logger = logging.getLogger(__name__)


@dataclass
class ApplicationEngine:
    """``ports.engine.SparkEngine`` that runs each job as a Spark application of its own (ADR 22).

    :param poll_seconds: how long it waits between two looks.
    :param blind_seconds: how long a cluster may not answer while its driver works; the driver needs nobody to look.
    """

    settings: Settings
    applications: Applications
    poll_seconds: float = 2.0
    blind_seconds: float = 120.0
    _at_work: tuple[Exchange, Application] | None = field(default=None, init=False, repr=False)

    def run(self, job: JobSpec) -> JobResult:
        """See the port. What an earlier try of the same work began is followed, not begun again."""
        exchange = Exchange.of(exchange_location(self.settings), job_key(job))
        with answering(exchange.location):
            result = self._followed(job, exchange)
            if result is None:
                result = self._begun(job, exchange)
            exchange.forget()
        return result

    def cancel(self) -> None:
        """End the application at work, if any. What it already sent may still commit to its own branch (rule 10)."""
        if self._at_work is not None:
            exchange, application = self._at_work
            exchange.forget()  # a driver that cannot be reached from here ends by itself when its claim is gone
            self.applications.stop(application)

    def _cancel_quietly(self) -> None:
        """Cancel on the way out of a failure, which is the one to be told."""
        try:
            self.cancel()
        except (EngineError, OSError) as error:
            # it ends by itself when it finds its claim gone, and harms nobody until then (rule 10)
            logger.warning("the Spark application could not be stopped: %s", error)

    def _let_end(self, application: Application) -> None:
        try:
            self._tell(self.applications.let_end(application))
        except EngineError as error:
            # the answer is here: what a cluster says of a driver that did its work changes nothing
            logger.warning("the end of the Spark application is not known: %s", error)

    def _followed(self, job: JobSpec, exchange: Exchange) -> JobResult | None:
        """The answer of what an earlier try began; None when there is nothing to follow."""
        claim = exchange.claim()
        if claim is None:
            return None
        result = exchange.result(claim.attempt)
        if result is None:
            claim = self._known(claim, exchange)
            if claim.application and self.applications.look(claim.application).phase in {"starting", "running"}:
                logger.info("following the Spark application that an earlier try began at %s", claim.since)
                result = self._answer(claim, exchange)
            else:
                result = exchange.result(claim.attempt)  # it may have answered between the two looks
        if result is None or not fits(job, result):
            logger.info("nothing is left of the attempt that began at %s", claim.since)
            exchange.forget()
            return None
        return result

    def _known(self, claim: Claim, exchange: Exchange) -> Claim:
        """The claim with its application: a task may be killed before it wrote down what it started."""
        if claim.application or not self.applications.starts_once or not exchange.has_job(claim.attempt):
            return claim
        return self._started(claim, exchange.job(claim.attempt), exchange)

    def _begun(self, job: JobSpec, exchange: Exchange) -> JobResult:
        claim = Claim(attempt=job.attempt, since=datetime.now(UTC))
        exchange.place(job)
        exchange.write_claim(claim)
        return self._answer(self._started(claim, job, exchange), exchange)

    def _started(self, claim: Claim, job: JobSpec, exchange: Exchange) -> Claim:
        application = self.applications.start(job, exchange)
        known = claim.model_copy(update={"application": dict(application)})
        exchange.write_claim(known)
        return known

    def _answer(self, claim: Claim, exchange: Exchange) -> JobResult:
        """Wait for the answer. :raises EngineError: when none will come; its application is stopped then."""
        application = claim.application
        self._at_work = (exchange, application)
        try:
            return self._waited(claim, exchange)
        except StageRunningError:
            raise  # it is well, and needs nobody who stands by
        except BaseException:
            self._cancel_quietly()
            raise
        finally:
            self._at_work = None

    def _waited(self, claim: Claim, exchange: Exchange) -> JobResult:
        application = claim.application
        began = seen = time.monotonic()
        while True:
            try:
                state = self._looked(application)
                seen = time.monotonic()
            except EngineError:
                if time.monotonic() - seen > self.blind_seconds:
                    raise
                state = ApplicationState("running")
            result = exchange.result(claim.attempt)
            if result is not None:
                self._let_end(application)
                return result
            assert_hope(state, time.monotonic() - began, self.settings.spark)
            time.sleep(self.poll_seconds)

    def _looked(self, application: Application) -> ApplicationState:
        state = self.applications.look(application)
        self._tell(self.applications.told(application))
        return state

    def _tell(self, lines: Sequence[str]) -> None:
        for line in lines:
            logger.info("%s", line)
