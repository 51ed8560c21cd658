"""The engine of applications over a cluster made of values: one driver per job, whatever becomes of its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headwater.adapters.spark_applications.applications import Application, ApplicationState
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.adapters.spark_applications.exchange import Claim, Exchange, fits, job_key
from headwater.domain.errors import EngineError
from headwater.domain.job import BuildTable, JobResult, JobSpec, TableResult
from headwater.domain.names import Layer, TableName
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import GoldSpec
from headwater.domain.staging import StagedTable, TableState, new_attempt

GOLD = TableName(layer=Layer.GOLD, source="shop", table="sales")
AT = datetime(2026, 1, 1, tzinfo=UTC)
STATE = TableState(run_key="i/shop/r", spec_hash="h")


def job(base: int | None = 7, sql: str = "SELECT 1 AS k") -> JobSpec:
    table = BuildTable(spec=GoldSpec(name="sales", grain=("k",), sql=sql), gold=GOLD, base=base, inputs={}, state=STATE)
    return JobSpec(
        kind="build_gold", run_key="i/shop/r", pipeline="shop", attempt=new_attempt(), planned_at=AT, build=(table,)
    )


def result(of: JobSpec, base: int | None = 7) -> JobResult:
    branch = f"hw_{of.attempt}"
    staged = StagedTable(table=GOLD, attempt=of.attempt, branch=branch, base=base, staged=8, state=STATE, rows=1)
    table = TableResult(table=GOLD, status="staged", staged=staged)
    return JobResult(kind=of.kind, run_key=of.run_key, attempt=of.attempt, tables=(table,), seconds=1)


@dataclass
class ScriptedCluster:
    """Plays states one after the other; the last stays. ``answers``: it writes a result when the states are through."""

    states: list[ApplicationState | EngineError]
    answers: bool = True
    starts_once: bool = False
    started: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    placed: dict[str, tuple[JobSpec, Exchange]] = field(default_factory=dict)

    def start(self, job: JobSpec, exchange: Exchange) -> Application:
        assert exchange.claim() == Claim(attempt=job.attempt, since=exchange.claim().since)  # type: ignore[union-attr]
        self.started.append(job.attempt)
        self.placed[job.attempt] = (exchange.job(job.attempt), exchange)
        return {"name": job.attempt}

    def look(self, application: Application) -> ApplicationState:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, EngineError):
            raise state
        if len(self.states) == 1 and self.answers and application["name"] in self.placed:
            job, exchange = self.placed[application["name"]]
            exchange.answer(job.attempt, result(job))
        return state

    def told(self, application: Application) -> Sequence[str]:
        return ()

    def let_end(self, application: Application) -> Sequence[str]:
        return ()

    def stop(self, application: Application) -> None:
        self.stopped.append(application["name"])


RUNNING, GONE = ApplicationState("running"), ApplicationState("gone")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    catalog = CatalogSettings(uri="x", jdbc_uri="y", warehouse=(tmp_path / "warehouse").as_uri())
    spark = SparkSettings(jars="j", mode="submit", start_timeout=timedelta(0), job_timeout=timedelta(hours=1))
    yield Settings(home="h", repository="r", run_store="x", catalog=catalog, spark=spark)
    assert not [path for path in (tmp_path / "warehouse" / "jobs").rglob("*") if path.is_file()]  # nothing is left


def engine(settings: Settings, cluster: ScriptedCluster) -> ApplicationEngine:
    return ApplicationEngine(settings, cluster, poll_seconds=0.001)


def exchange_of(settings: Settings, asked: JobSpec) -> Exchange:
    return Exchange.of(f"{settings.catalog.warehouse}/jobs", job_key(asked))


class TestOneDriverPerJob:
    def test_a_job_is_claimed_before_it_is_started_and_its_answer_is_taken_once(self, settings: Settings) -> None:
        cluster, asked = ScriptedCluster([RUNNING]), job()
        assert engine(settings, cluster).run(asked) == result(asked)
        assert cluster.started == [asked.attempt]

    def test_a_retry_follows_the_driver_that_a_killed_task_left(self, settings: Settings) -> None:
        cluster, first, retry = ScriptedCluster([RUNNING, RUNNING, RUNNING]), job(), job()
        claim = Claim(attempt=first.attempt, since=AT)
        exchange = exchange_of(settings, first)
        exchange.place(first)
        exchange.write_claim(claim)
        cluster.placed[first.attempt] = (first, exchange)
        exchange.write_claim(claim.model_copy(update={"application": {"name": first.attempt}}))

        assert engine(settings, cluster).run(retry) == result(first)
        assert cluster.started == []

    def test_a_retry_takes_the_answer_that_came_while_nobody_waited(self, settings: Settings) -> None:
        cluster, first = ScriptedCluster([GONE], answers=False), job()
        exchange = exchange_of(settings, first)
        exchange.write_claim(Claim(attempt=first.attempt, since=AT, application={"name": "x"}))
        exchange.answer(first.attempt, result(first))

        assert engine(settings, cluster).run(job()) == result(first)
        assert cluster.started == []

    @pytest.mark.parametrize("was", [None, GONE, ApplicationState("ended", "OOMKilled")])
    def test_a_claim_whose_driver_is_no_more_is_taken_over(
        self, settings: Settings, was: ApplicationState | None
    ) -> None:
        """Also when the task was killed between the claim and the start: nobody knows, and rule 10 holds."""
        cluster, retry = ScriptedCluster([was, RUNNING] if was else [RUNNING]), job()
        application = {"name": "lost"} if was else {}
        exchange_of(settings, retry).write_claim(Claim(attempt=new_attempt(), since=AT, application=application))

        assert engine(settings, cluster).run(retry) == result(retry)
        assert cluster.started == [retry.attempt]

    def test_an_answer_that_came_between_two_looks_is_taken(self, settings: Settings) -> None:
        first = job()
        exchange = exchange_of(settings, first)

        class Answering(ScriptedCluster):
            def look(self, application: Application) -> ApplicationState:
                exchange.answer(first.attempt, result(first))
                return ApplicationState("ended")

        cluster = Answering([RUNNING])
        exchange.write_claim(Claim(attempt=first.attempt, since=AT, application={"name": "x"}))
        assert engine(settings, cluster).run(job()) == result(first)
        assert cluster.started == []

    def test_a_start_that_may_have_happened_is_repeated_where_that_is_safe(self, settings: Settings) -> None:
        """The cluster knows the attempt's name: the same driver answers, not a second one."""
        cluster, first, retry = ScriptedCluster([RUNNING, RUNNING], starts_once=True), job(), job()
        exchange = exchange_of(settings, first)
        exchange.place(first)
        exchange.write_claim(Claim(attempt=first.attempt, since=AT))

        assert engine(settings, cluster).run(retry) == result(first)
        assert cluster.started == [first.attempt]

    def test_an_answer_on_another_base_is_not_taken(self, settings: Settings) -> None:
        """Rule 18: its base is stale, so publish would refuse it for ever."""
        cluster, first, retry = ScriptedCluster([RUNNING]), job(base=7), job(base=7)
        exchange = exchange_of(settings, first)
        exchange.write_claim(Claim(attempt=first.attempt, since=AT))
        exchange.answer(first.attempt, result(first, base=6))

        assert engine(settings, cluster).run(retry) == result(retry)


class TestJobsWithoutAnswer:
    @pytest.mark.parametrize("last", [ApplicationState("ended", "OOMKilled", {"exit_status": "137"}), GONE])
    def test_a_driver_that_ended_without_an_answer_is_an_error_that_a_retry_mends(
        self, settings: Settings, last: ApplicationState
    ) -> None:
        cluster = ScriptedCluster([RUNNING, last], answers=False)
        with pytest.raises(EngineError) as raised:
            engine(settings, cluster).run(job())
        assert raised.value.retry_helps
        assert raised.value.facts == dict(last.facts or {})

    def test_a_driver_that_does_not_start_is_stopped_in_time_and_says_why(self, settings: Settings) -> None:
        cluster, asked = ScriptedCluster([ApplicationState("starting", "ImagePullBackOff")], answers=False), job()
        with pytest.raises(EngineError, match="did not start") as raised:
            engine(settings, cluster).run(asked)
        assert raised.value.got == "ImagePullBackOff"
        assert cluster.stopped == [asked.attempt]

    def test_a_job_that_takes_too_long_is_stopped(self, settings: Settings) -> None:
        spark = settings.spark.model_copy(update={"job_timeout": timedelta(0)})
        cluster, asked = ScriptedCluster([RUNNING], answers=False), job()
        with pytest.raises(EngineError, match="was stopped after"):
            engine(settings.model_copy(update={"spark": spark}), cluster).run(asked)
        assert cluster.stopped == [asked.attempt]

    def test_a_cluster_that_cannot_be_asked_for_a_moment_costs_nothing(self, settings: Settings) -> None:
        away = EngineError("Kubernetes does not answer")
        cluster, asked = ScriptedCluster([RUNNING, away, away, RUNNING]), job()
        assert engine(settings, cluster).run(asked) == result(asked)

    def test_a_cluster_that_stays_away_is_an_error(self, settings: Settings) -> None:
        away = EngineError("Kubernetes does not answer")
        cluster = ScriptedCluster([RUNNING, away], answers=False)
        patient = ApplicationEngine(settings, cluster, poll_seconds=0.001, blind_seconds=0.01)
        with pytest.raises(EngineError, match="does not answer"):
            patient.run(job())

    def test_an_answer_is_taken_though_the_cluster_says_nothing_of_its_driver_any_more(
        self, settings: Settings
    ) -> None:
        class Mute(ScriptedCluster):
            def let_end(self, application: Application) -> Sequence[str]:
                raise EngineError("Kubernetes does not answer")

        cluster, asked = Mute([RUNNING]), job()
        assert engine(settings, cluster).run(asked) == result(asked)

    def test_what_failed_is_told_though_its_driver_cannot_be_stopped(self, settings: Settings) -> None:
        class Deaf(ScriptedCluster):
            def stop(self, application: Application) -> None:
                raise EngineError("Kubernetes does not answer")

        cluster = Deaf([ApplicationState("ended", "OOMKilled")], answers=False)
        with pytest.raises(EngineError, match="ended without an answer"):
            engine(settings, cluster).run(job())

    def test_an_interrupted_task_stops_its_driver(self, settings: Settings) -> None:
        class Interrupted(ScriptedCluster):
            def told(self, application: Application) -> Sequence[str]:
                raise KeyboardInterrupt

        cluster, asked = Interrupted([RUNNING], answers=False), job()
        with pytest.raises(KeyboardInterrupt):
            engine(settings, cluster).run(asked)
        assert cluster.stopped == [asked.attempt]

    def test_a_shared_folder_that_does_not_answer_is_said_in_words(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        spark = settings.spark.model_copy(update={"exchange": str(tmp_path / "file" / "jobs")})
        with pytest.raises(EngineError, match="share does not answer"):
            engine(settings.model_copy(update={"spark": spark}), ScriptedCluster([RUNNING])).run(job())


class TestJobKeys:
    def test_tries_of_one_work_have_one_key(self) -> None:
        """Bases may move between tries of one run: a first try creates its tables (rule 13)."""
        assert job_key(job(base=None)) == job_key(job(base=7))

    def test_other_work_has_another_key(self) -> None:
        assert job_key(job()) != job_key(job(sql="SELECT 2 AS k"))

    def test_a_key_names_pipeline_and_stage(self) -> None:
        assert job_key(job()).startswith("shop-build-gold-")

    @pytest.mark.parametrize(("base", "staged", "stands"), [(7, 7, True), (None, 7, True), (7, 6, False)])
    def test_an_answer_stands_on_its_base(self, base: int | None, staged: int, stands: bool) -> None:
        asked = job(base=base)
        assert fits(asked, result(asked, base=staged)) is stands
