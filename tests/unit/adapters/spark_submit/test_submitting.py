"""What spark-submit is told: properties of master and stage in a private file, arguments without a secret."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headwater.adapters.spark_applications.arguments import driver_arguments
from headwater.adapters.spark_applications.exchange import Exchange
from headwater.adapters.spark_applications.properties import REDACTED
from headwater.adapters.spark_submit.submitting import submit_command, submit_properties
from headwater.domain.job import JobSpec
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spark_settings import StageSize

JOB = JobSpec(
    kind="refine", run_key="i/s/r", pipeline="s", attempt="a" * 32, planned_at=datetime(2026, 1, 1, tzinfo=UTC)
)
SIZE = StageSize(driver_memory="3g", driver_cores=2, executors=5, executor_memory="6g", executor_cores=4)


def settings(**spark: Any) -> Settings:
    catalog = CatalogSettings(
        uri="postgresql+psycopg://lake:s3cret@h/lake",
        jdbc_uri="jdbc:postgresql://h/lake",
        jdbc_user="lake",
        jdbc_password="s3cret",
        warehouse="file:///w",
    )
    known = SparkSettings(mode="submit", jars="j", sizes={"refine": SIZE}, **spark)
    return Settings(home="h", repository="r", run_store="x", catalog=catalog, spark=known)


def properties(known: Settings, masking: str | None = None) -> dict[str, str]:
    return submit_properties(known, JOB, "s-refine-1", [Path("/j/a.jar"), Path("/j/b.jar")], masking)


def test_a_standalone_master_is_told_all_cores_of_the_stage() -> None:
    made = properties(settings(master="spark://host:7077"))
    assert (made["spark.master"], made["spark.submit.deployMode"]) == ("spark://host:7077", "client")
    assert (made["spark.cores.max"], made["spark.executor.cores"], made["spark.executor.memory"]) == ("20", "4", "6g")
    assert "spark.executor.instances" not in made


def test_yarn_is_told_the_number_of_executors_and_tries_once() -> None:
    """Rule 2: an attempt is used once, so the tries are Airflow's."""
    made = properties(settings(master="yarn", deploy_mode="cluster"))
    assert (made["spark.master"], made["spark.submit.deployMode"]) == ("yarn", "cluster")
    assert made["spark.executor.instances"] == "5"
    assert made["spark.yarn.maxAppAttempts"] == "1"
    assert made["spark.yarn.tags"] == f"headwater,headwater-s-refine-1,headwater-{JOB.attempt}"
    assert "spark.cores.max" not in made


def test_yarn_gets_queue_and_archives_by_properties_of_the_profile() -> None:
    own = {"spark.yarn.queue": "etl", "spark.yarn.dist.archives": "hdfs:///envs/headwater.tar.gz#environment"}
    made = properties(settings(master="yarn", conf=own))
    assert own.items() <= made.items()


def test_a_stage_without_a_size_has_the_defaults() -> None:
    made = submit_properties(settings(master="yarn"), JOB.model_copy(update={"kind": "validate"}), "k", [])
    assert (made["spark.executor.instances"], made["spark.driver.memory"]) == ("2", "2g")


def test_a_driver_elsewhere_gets_the_masking_key_by_its_properties_and_one_here_by_our_environment() -> None:
    """Rule 42. YARN writes a container's environment beside its logs; properties are redacted and private."""
    key = "spark.headwater.masking"
    assert re.search(REDACTED, key)
    assert properties(settings(master="yarn", deploy_mode="cluster"), masking="{}")[key] == "{}"
    assert key not in properties(settings(master="yarn"), masking="{}")


def test_no_secret_is_in_the_arguments() -> None:
    """Rule 42."""
    known = settings(master="yarn")
    exchange = Exchange.of("file:///w/jobs", "s-refine-1")
    command = submit_command(Path("/spark"), Path("/p"), Path("/e.py"), driver_arguments(known, exchange, JOB.attempt))
    assert command[:4] == ["/spark/bin/spark-submit", "--properties-file", "/p", "/e.py"]
    assert "s3cret" not in " ".join(command)
    assert properties(known)["spark.sql.catalog.lake.jdbc.password"] == "s3cret"


@pytest.mark.parametrize(
    ("exchange", "kept"),
    [
        (None, "file:///w/jobs/s-refine-1/"),
        ("hdfs://n/jobs", "hdfs://n/jobs/s-refine-1/"),
        ("s3://bucket/jobs", None),
    ],
)
def test_rows_that_must_outlive_an_executor_go_where_spark_can_write(exchange: str | None, kept: str | None) -> None:
    found = properties(settings(master="yarn", exchange=exchange)).get("spark.checkpoint.dir")
    assert found is None if kept is None else found and found.startswith(kept)


def test_the_event_log_is_for_the_history_server() -> None:
    made = properties(settings(master="yarn", event_log="hdfs:///events"))
    assert (made["spark.eventLog.enabled"], made["spark.eventLog.dir"]) == ("true", "hdfs:///events")
