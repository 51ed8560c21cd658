"""What the doctor looks at depends on where it is: a laptop with the embedded stack, or an image."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from headwater.adapters.profile import write_profile
from headwater.cli import doctor, doctor_files
from headwater.cli.main import app
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = Settings(
    home="/home",
    repository="/repository",
    run_store=SecretStr("sqlite://"),
    catalog=CatalogSettings(uri=SecretStr("sqlite://"), jdbc_uri="", warehouse="/lake"),
    spark=SparkSettings(jars=""),
)
ONLY_EMBEDDED = {"memory", "folder", "disk", "Postgres", "loopback ports"}


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation without the embedded extra, with an empty repository and no profile."""
    (tmp_path / "dags").mkdir()
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(tmp_path))
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_JARS", str(tmp_path / "jars"))
    monkeypatch.delenv("HEADWATER_PROFILE", raising=False)
    monkeypatch.setattr(doctor, "_is_embedded", lambda: False)
    return tmp_path


def test_an_image_is_not_asked_for_what_only_the_embedded_stack_needs(image: Path) -> None:
    assert ONLY_EMBEDDED & {finding.what for finding in doctor.examine()} == set()


def test_missing_jars_are_a_fault_of_an_image(image: Path) -> None:
    jars = next(finding for finding in doctor.examine() if finding.what == "jars")
    assert not jars.fine
    assert "Build the image again" in jars.fix


def test_the_embedded_stack_is_asked_for_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    assert {finding.what for finding in doctor.examine()} >= ONLY_EMBEDDED


@pytest.mark.parametrize("sign", doctor.UNUSABLE_IN_FOLDERS)
def test_a_folder_whose_name_would_be_cut_is_told_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / f"lake{sign}1"))
    monkeypatch.setattr(doctor, "_is_embedded", lambda: True)
    found = next(finding for finding in doctor.examine() if finding.what == "folder")
    assert not found.fine
    assert f"home {tmp_path}/lake{sign}1" in found.found
    assert "HEADWATER_HOME" in found.fix


def test_a_folder_of_blanks_and_quotes_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "new comer's 100% é"))
    monkeypatch.setattr(doctor, "_is_embedded", lambda: True)
    assert next(finding for finding in doctor.examine() if finding.what == "folder").fine


def test_a_wait_that_ends_before_a_turn_of_maintenance_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a profile says how long a turn is: the run would fail although everything is well."""
    for folder in ("dags", "sql", "include/contracts", "tests/sources"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(tmp_path))
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    monkeypatch.delenv("HEADWATER_PROFILE", raising=False)
    assert "lease_wait" not in {finding.what for finding in doctor_files.examine_files()}, "no profile, no turn"

    write_profile(SETTINGS, tmp_path / "profile.yaml")
    assert _waits() == (True, "each longer than maintenance.turn, 2m")
    file = tmp_path / "dags" / "sources" / "weather.yaml"
    file.write_text(file.read_text() + "lease_wait: 2m\n")
    line = len(file.read_text().splitlines())
    assert _waits() == (
        False,
        f"dags/sources/weather.yaml:{line}: lease_wait is 2m: no longer than maintenance.turn, 2m",
    )

    refused = CliRunner().invoke(app, ["validate"])
    assert refused.exit_code == 1
    assert f"dags/sources/weather.yaml:{line}: lease_wait: a run would give up" in refused.output
    assert "more than 2m" in refused.output
    (tmp_path / "profile.yaml").write_text("home: ${NOBODY_SET_THIS}\n")
    unknown = CliRunner().invoke(app, ["validate"])
    assert (unknown.exit_code, "An environment variable is not set" in unknown.output) == (0, True)
    assert "profile" not in {finding.what for finding in doctor_files.examine_files()}, "`make demo` writes it anew"
    monkeypatch.setenv("HEADWATER_PROFILE", str(tmp_path / "profile.yaml"))
    told = next(finding for finding in doctor_files.examine_files() if finding.what == "profile")
    assert (told.fine, "profile.yaml:1: home" in told.found) == (False, True)


def _waits() -> tuple[bool, str]:
    found = next(finding for finding in doctor_files.examine_files() if finding.what == "lease_wait")
    return found.fine, found.found
