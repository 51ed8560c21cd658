"""A run's file is whole, is replaced by the same run, and is what ``datahub ingest`` reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from datahub.ingestion.source.file import read_metadata_file

from headwater.adapters.datahub.file_emitter import FileLineageEmitter
from headwater.adapters.datahub.metadata_events import metadata_events
from headwater.domain.lineage import RunFacts


def test_the_file_is_read_by_datahubs_file_source(tmp_path: Path, run_facts: RunFacts) -> None:
    FileLineageEmitter(tmp_path).emit(run_facts)
    (path,) = [each for each in tmp_path.rglob("*") if each.is_file()]
    read = list(read_metadata_file(path))
    assert [event.to_obj() for event in read] == [event.to_obj() for event in metadata_events(run_facts)]


def test_the_same_run_again_replaces_its_file(tmp_path: Path, run_facts: RunFacts) -> None:
    emitter = FileLineageEmitter(tmp_path)
    assert emitter.emit(run_facts) == emitter.emit(run_facts)
    assert len([each for each in tmp_path.rglob("*") if each.is_file()]) == 1
    assert emitter.flush_spool() == 0


def test_a_run_id_cannot_leave_the_folder(tmp_path: Path, run_facts: RunFacts) -> None:
    folder = tmp_path / "lineage"
    FileLineageEmitter(folder).emit(run_facts.model_copy(update={"run_id": "../../evil"}))
    assert [each.parent for each in tmp_path.rglob("*.json")] == [folder / "flights"]


def test_a_folder_that_cannot_be_written_is_told_and_not_raised(tmp_path: Path, run_facts: RunFacts) -> None:
    (tmp_path / "lineage").write_text("a file is in the way", encoding="utf-8")
    assert "NOT kept" in FileLineageEmitter(tmp_path / "lineage").emit(run_facts)


def test_nothing_calls_home(tmp_path: Path) -> None:
    """DataHub's library would, and would write below the home folder, unless told otherwise before its import."""
    script = (
        "import headwater.adapters.datahub, datahub.ingestion.sink.file\n"
        "from datahub.telemetry.telemetry import telemetry_instance, ENV_ENABLED\n"
        "print(ENV_ENABLED, telemetry_instance.enabled)\n"
    )
    environment = {"HOME": str(tmp_path), "PATH": ""}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
