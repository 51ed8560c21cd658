"""What the doctor looks at depends on where it is: a laptop with the embedded stack, or an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.cli import doctor

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
