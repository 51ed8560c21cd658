"""Folders of jobs that nobody came for: only what tasks and drivers put there, and only as it was looked at."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.unit.adapters.spark_applications.test_engine import job, result

from headwater.adapters.spark_applications.exchange import Claim, Exchange, exchange_location, job_key
from headwater.adapters.spark_applications.left_jobs import LeftJobs
from headwater.domain.job import JobSpec
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    catalog = CatalogSettings(uri=SecretStr("sqlite://"), jdbc_uri="", warehouse=str(tmp_path / "lake"))
    spark = SparkSettings(jars="j", mode="submit")
    return Settings(home="h", repository="r", run_store=SecretStr(""), catalog=catalog, spark=spark)


@pytest.fixture
def killed(settings: Settings) -> JobSpec:
    """A job whose task was killed: claimed, worked at and answered."""
    asked = job()
    exchange = Exchange.of(exchange_location(settings), job_key(asked))
    exchange.place(asked)
    exchange.write_claim(Claim(attempt=asked.attempt, since=datetime.now(UTC)))
    exchange.begin(asked.attempt)
    exchange.answer(asked.attempt, result(asked))
    exchange.folder.write(f"{exchange.key}/{asked.attempt}/rows/a-b/rdd-1/part-0", "rows")
    return asked


def test_a_folder_tells_whose_it_is_and_goes_whole(settings: Settings, killed: JobSpec, tmp_path: Path) -> None:
    (left,) = LeftJobs(settings).found()
    assert (left.place, left.run_keys, left.files) == (job_key(killed), (killed.run_key,), 5)
    assert LeftJobs(settings).remove(left)
    assert list((tmp_path / "lake" / "jobs").iterdir()) == []
    assert not LeftJobs(settings).remove(left), "another sweep was first"


def test_when_it_was_last_written_is_that_of_the_newest_file(settings: Settings, killed: JobSpec) -> None:
    root = Path(settings.catalog.warehouse, "jobs")
    for path in root.rglob("*"):
        os.utime(path, (0, 0))
    then = time.time() - 100
    os.utime(next(root.rglob("part-0")), (then, then))
    (left,) = LeftJobs(settings).found()
    assert left.written_at == datetime.fromtimestamp(then, UTC), killed.attempt


def test_a_folder_that_is_claimed_anew_meanwhile_stays(settings: Settings, killed: JobSpec) -> None:
    """A run may be cleared just now: whoever comes begins in the folder of before."""
    (left,) = LeftJobs(settings).found()
    exchange = Exchange.of(exchange_location(settings), job_key(killed))
    exchange.write_claim(Claim(attempt="b" * 32, since=datetime.now(UTC)))
    assert not LeftJobs(settings).remove(left)
    assert exchange.claim() is not None


@pytest.mark.parametrize(
    "file",
    [
        "notes/readme.txt",
        "shop-refine-0123456789ab/readme.txt",
        f"shop-refine-0123456789ab/{'a' * 32}/other.parquet",
        f"shop-refine-0123456789ab/{'a' * 32}/job.json",
        "backup-0123456789ab/2026/dump",
        "loose.txt",
    ],
)
def test_what_is_not_the_exchanges_is_left_alone(settings: Settings, file: str) -> None:
    """``spark.exchange`` may be a folder that others use, too."""
    path = Path(settings.catalog.warehouse, "jobs", file)
    path.parent.mkdir(parents=True)
    path.write_text("[]")
    assert list(LeftJobs(settings).found()) == []


def test_no_exchange_no_leftovers(settings: Settings) -> None:
    assert list(LeftJobs(settings).found()) == []
