"""The repository a demo is deployed to: real Git, whatever the settings of who runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.adapters.embedded.bare_repository import BareRepository
from headwater.domain.errors import StackError


@pytest.fixture
def bare(tmp_path: Path) -> BareRepository:
    made = BareRepository(tmp_path / "dags.git")
    made.ensure()
    return made


def test_it_can_be_served_before_anything_is_pushed(bare: BareRepository) -> None:
    with bare.checkout() as clone:
        assert [path.name for path in (clone.folder / "dags").iterdir()] == ["README.md"]


def test_what_was_pushed_is_there_after_it_was_ensured_again(bare: BareRepository) -> None:
    with bare.checkout() as clone:
        first = clone.push("one", {"dags/sources/a.yaml": "a", "sql/gold/a/b.sql": "b"})
        second = clone.push("two", {"dags/sources/a.yaml": None})
    bare.ensure()
    assert first != second
    with bare.checkout() as clone:
        assert not (clone.folder / "dags/sources").exists()
        assert (clone.folder / "sql/gold/a/b.sql").read_text() == "b"


def test_settings_and_hooks_of_the_person_have_no_part_in_it(
    bare: BareRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signing key that asks for its password would stop the demo; a hook that calls us names its own repository."""
    settings = tmp_path / "gitconfig"
    settings.write_text("[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = false\n[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    (tmp_path / ".gitconfig").write_text(settings.read_text())
    with bare.checkout() as clone:
        assert len(clone.push("signed by nobody", {"dags/a.yaml": "a"})) == 40


def test_what_git_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="git clone failed"), BareRepository(tmp_path / "none").checkout():
        raise AssertionError("there is nothing to clone")
