"""Folders of jobs in a home: whose they are, that no process works in one, and that one goes as it was looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.unit.adapters.spark_applications.test_engine import job

from headwater.adapters.job_folders import LeftJobFolders, job_folder
from headwater.adapters.platform import LocalPlatform
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.staging import new_attempt


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    catalog = CatalogSettings(uri=SecretStr("sqlite://"), jdbc_uri="", warehouse=str(tmp_path / "lake"))
    spark = SparkSettings(jars="j", mode="submit")
    return Settings(home=str(tmp_path / "home"), repository="r", run_store=SecretStr(""), catalog=catalog, spark=spark)


@pytest.fixture
def asked() -> JobSpec:
    return job().model_copy(update={"attempt": new_attempt()})


@pytest.fixture
def killed(settings: Settings, asked: JobSpec) -> Path:
    """What is left of a stage whose task was killed before its driver had ended."""
    folder = job_folder(settings, asked)
    (folder / "spark.properties").write_text("spark.sql.catalog.lake.jdbc.password=secret")
    (folder / "driver.log").write_text("…")
    return folder


@pytest.fixture
def driver(killed: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that was told the folder as drivers are."""
    waits = "print(flush=True); import sys; sys.stdin.read()"
    command = [sys.executable, "-c", waits, "--properties-file", str(killed / "spark.properties")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_what_a_killed_task_left_is_found_by_its_run_and_goes_with_its_secrets(
    settings: Settings, asked: JobSpec, killed: Path
) -> None:
    (left,) = LeftJobFolders(settings).found()
    assert (left.place, left.run_keys, left.files) == (f"jobs/{asked.attempt}", (asked.run_key,), 3)
    assert LeftJobFolders(settings).remove(left)
    assert not killed.parent.exists()
    assert not LeftJobFolders(settings).remove(left), "another sweep was first"


def test_a_job_that_a_process_works_at_is_none_of_them(
    settings: Settings, killed: Path, driver: subprocess.Popen[bytes]
) -> None:
    assert list(LeftJobFolders(settings).found()) == []
    driver.kill()
    driver.wait()
    assert len(list(LeftJobFolders(settings).found())) == 1
    assert killed.exists()


def test_one_that_a_process_begins_to_work_at_meanwhile_stays(
    settings: Settings, killed: Path, request: pytest.FixtureRequest
) -> None:
    (left,) = LeftJobFolders(settings).found()
    request.getfixturevalue("driver")
    assert not LeftJobFolders(settings).remove(left)
    assert killed.exists()


def test_one_that_was_written_to_meanwhile_stays(settings: Settings, asked: JobSpec, killed: Path) -> None:
    (left,) = LeftJobFolders(settings).found()
    job_folder(settings, asked.model_copy(update={"kind": "validate"}))
    assert not LeftJobFolders(settings).remove(left)
    assert killed.exists()


def test_when_it_was_last_written_is_that_of_the_newest_in_it(settings: Settings, killed: Path) -> None:
    for path in (killed.parent, *killed.parent.rglob("*")):
        os.utime(path, (0, 0))
    os.utime(killed / "driver.log", (100, 100))
    (left,) = LeftJobFolders(settings).found()
    assert left.written_at == datetime.fromtimestamp(100, UTC)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_job_whose_writer_was_killed_at_it_is_no_runs(settings: Settings, killed: Path, text: str) -> None:
    (killed / "job.json").write_text(text)
    (left,) = LeftJobFolders(settings).found()
    assert left.run_keys == ()


def test_what_is_no_attempts_is_left_alone_and_a_home_without_jobs_has_none(settings: Settings) -> None:
    assert list(LeftJobFolders(settings).found()) == []
    Path(settings.home, "jobs", "notes").mkdir(parents=True)
    assert list(LeftJobFolders(settings).found()) == []


def test_a_folder_that_cannot_be_removed_is_said_in_words(
    settings: Settings, killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (left,) = LeftJobFolders(settings).found()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(EngineError, match="does not answer"):
        LeftJobFolders(settings).remove(left)
    assert killed.exists()


@pytest.mark.parametrize("mode", ["connect", "submit", "kubernetes"])
def test_maintenance_sweeps_the_home_whatever_the_engine(settings: Settings, mode: str) -> None:
    spark = settings.spark.model_copy(update={"mode": mode})
    swept = LocalPlatform(settings.model_copy(update={"spark": spark})).leftovers
    assert [type(store).__name__ for store in swept].count("LeftJobFolders") == 1
