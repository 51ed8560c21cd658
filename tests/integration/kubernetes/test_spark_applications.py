"""SparkApplications by the provider's hook against an API server over HTTP: made once, followed, explained, deleted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.kubernetes.api_server import TOKEN, Cluster

from headwater.adapters.spark_applications.applications import Application, ApplicationState
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.adapters.spark_applications.exchange import Claim, Exchange, job_key
from headwater.domain.engine_errors import EngineRefusedError
from headwater.domain.errors import EngineError
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.settings import Settings
from headwater.domain.staging import new_attempt
from headwater_airflow.hooks.spark_applications import KubernetesApplications

RUNNING, COMPLETED = {"state": "RUNNING"}, {"state": "COMPLETED"}
NAMESPACE = "headwater-spark"


def job() -> JobSpec:
    return JobSpec(
        kind="preflight",
        run_key="i/shop/r",
        pipeline="shop",
        attempt=new_attempt(),
        planned_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


class Answering(KubernetesApplications):
    """With a driver: it answers when the application is seen for the ``after``-th time."""

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        super().__init__(settings)
        self.cluster, self.after = cluster, 2
        self.lines: list[str] = []

    def _new_lines(self, application: Application) -> Sequence[str]:
        found = super()._new_lines(application)
        self.lines += found
        return found

    def look(self, application: Application) -> ApplicationState:
        found = super().look(application)
        self.after -= 1
        if self.after == 0:
            arguments = self.arguments
            exchange = Exchange.of(arguments["--exchange"], arguments["--key"])
            asked = exchange.job(arguments["--attempt"])
            result = JobResult(kind=asked.kind, run_key=asked.run_key, attempt=asked.attempt, tables=(), seconds=1)
            exchange.answer(asked.attempt, result)
        return found

    @property
    def arguments(self) -> dict[str, str]:
        manifest = next(iter(self.cluster.applications.values()))
        given = manifest["spec"]["arguments"]
        return dict(zip(given[::2], given[1::2], strict=True))


class Engine(ApplicationEngine):
    applications: Answering


def engine(settings: Settings, cluster: Cluster) -> Engine:
    return Engine(settings, Answering(settings, cluster), poll_seconds=0.01, blind_seconds=5)


def error_of(settings: Settings, cluster: Cluster) -> EngineError:
    with pytest.raises(EngineError) as raised:
        ApplicationEngine(settings, KubernetesApplications(settings), poll_seconds=0.01, blind_seconds=0).run(job())
    return raised.value


def test_a_stage_is_made_followed_and_answered_and_its_log_is_in_the_tasks(
    settings: Settings, cluster: Cluster
) -> None:
    cluster.states, cluster.log = [{"state": ""}, {"state": "SUBMITTED"}, RUNNING], "gold.shop.sales: staged in 1.0 s\n"
    patient = settings.model_copy(
        update={"spark": settings.spark.model_copy(update={"start_timeout": timedelta(minutes=1)})}
    )
    asked = job()
    made = engine(patient, cluster)
    made.applications.after = 4
    assert made.run(asked).attempt == asked.attempt
    assert cluster.made == [name for _, name in cluster.applications]
    assert len(cluster.made) == 1
    assert made.applications.lines == ["gold.shop.sales: staged in 1.0 s"]
    assert cluster.deleted == []  # it stays to be looked at; the operator removes it


def test_a_retry_follows_the_application_of_its_killed_task(settings: Settings, cluster: Cluster) -> None:
    """Killed after the claim, before it knew whether the application was made: 409 says that it was."""
    first, retry = job(), job()
    exchange = Exchange.of(f"{settings.catalog.warehouse}/jobs", job_key(first))
    exchange.place(first)
    exchange.write_claim(Claim(attempt=first.attempt, since=datetime.now(UTC)))
    KubernetesApplications(settings).start(first, exchange)

    assert engine(settings, cluster).run(retry).attempt == first.attempt
    assert len(cluster.made) == 1


def test_an_api_server_that_is_away_for_a_moment_costs_nothing(settings: Settings, cluster: Cluster) -> None:
    class CutOff(Answering):
        def told(self, application: Application) -> Sequence[str]:
            cluster.cut, self.away = self.away, 0
            return super().told(application)

        away = 4

    asked = job()
    made = ApplicationEngine(settings, CutOff(settings, cluster), poll_seconds=0.01, blind_seconds=30)
    assert made.run(asked).attempt == asked.attempt


def test_a_driver_that_failed_says_how_it_ended_and_stays_to_be_looked_at(settings: Settings, cluster: Cluster) -> None:
    cluster.states = [RUNNING, {"state": "FAILED", "errorMessage": "driver container failed"}]
    ended = {"exitCode": 137, "reason": "OOMKilled"}
    cluster.pod = {"status": {"containerStatuses": [_container({"terminated": ended})]}}
    error = error_of(settings, cluster)
    assert error.retry_helps
    assert error.facts["exit_status"] == "137"
    assert "OOMKilled" in (error.got or "")
    assert "driver container failed" in (error.got or "")
    assert cluster.deleted == []


def test_an_image_that_cannot_be_pulled_is_named(settings: Settings, cluster: Cluster) -> None:
    cluster.states = [{"state": "SUBMITTED"}]
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "registry/spark:1"'}
    cluster.pod = {"status": {"containerStatuses": [_container({"waiting": waiting})]}}
    error = error_of(settings, cluster)
    assert "did not start" in error.message
    assert "registry/spark:1" in (error.got or "")
    assert cluster.deleted == cluster.made  # nobody waits for it any more


def test_a_deleted_application_is_lost_and_a_retry_makes_another(settings: Settings, cluster: Cluster) -> None:
    class Deleted(KubernetesApplications):
        def told(self, application: Application) -> Sequence[str]:
            cluster.applications.clear()
            return ()

    with pytest.raises(EngineError, match="lost"):
        ApplicationEngine(settings, Deleted(settings), poll_seconds=0.01).run(job())
    assert engine(settings, cluster).run(job())
    assert len(cluster.made) == 2


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (403, 'cannot create resource "sparkapplications"', EngineRefusedError),
        (403, 'pods "x" is forbidden: exceeded quota: compute', EngineError),
        (404, "the server could not find the requested resource", EngineRefusedError),
        (422, "spec.driver.cores: Invalid value", EngineRefusedError),
        (503, "the webhook does not answer", EngineError),
    ],
)
def test_a_refusal_is_said_in_words_and_whether_a_retry_helps(
    settings: Settings, cluster: Cluster, status: int, message: str, kind: type[EngineError]
) -> None:
    cluster.refuses = (status, message)
    error = error_of(settings, cluster)
    assert type(error) is kind
    assert message in (error.got or "")
    assert TOKEN not in str(error)


def test_an_unknown_login_is_refused_and_its_token_is_not_told(
    settings: Settings, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = os.environ["AIRFLOW_CONN_SPARK_CLUSTER"]
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_CLUSTER", known.replace(TOKEN, "token-of-another"))
    error = error_of(settings, cluster)
    assert isinstance(error, EngineRefusedError)
    assert "token-of-another" not in str(error)


def test_a_server_that_is_not_there_is_said_in_words(settings: Settings, cluster: Cluster) -> None:
    cluster.cut = 100
    error = error_of(settings, cluster)
    assert "does not answer" in error.message
    assert error.retry_helps


def test_a_cancelled_stage_is_deleted(settings: Settings, cluster: Cluster) -> None:
    class Cancelled(KubernetesApplications):
        def told(self, application: Application) -> Sequence[str]:
            made.cancel()
            return ()

    made = ApplicationEngine(settings, Cancelled(settings), poll_seconds=0.01)
    with pytest.raises(EngineError):
        made.run(job())
    assert cluster.deleted == cluster.made


def _container(state: dict[str, Any]) -> dict[str, Any]:
    known = {"image": "i", "imageID": "", "ready": False, "restartCount": 0}
    return {"name": "spark-kubernetes-driver", "state": state, **known}
