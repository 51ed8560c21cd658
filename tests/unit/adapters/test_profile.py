from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from headwater.adapters.profile import load_settings, repository_root, write_profile
from headwater.domain.errors import SpecError

PROFILE = """\
installation: test
run_store: postgresql+psycopg://hw:${DB_PASSWORD}@db/headwater
catalog:
  uri: postgresql+psycopg://hw:${DB_PASSWORD}@db/catalog
  jdbc_uri: jdbc:postgresql://db/catalog
  warehouse: /lake
spark:
  jars: /jars
"""


def _environ(folder: Path, text: str) -> dict[str, str]:
    (folder / "dags").mkdir()
    path = folder / "profile.yaml"
    path.write_text(text)
    return {"HEADWATER_PROFILE": str(path), "HEADWATER_REPOSITORY": str(folder), "DB_PASSWORD": "s3cret"}


def test_references_are_resolved_and_stay_out_of_the_repr(tmp_path: Path) -> None:
    settings = load_settings(_environ(tmp_path, PROFILE))
    assert settings.run_store.get_secret_value() == "postgresql+psycopg://hw:s3cret@db/headwater"
    assert settings.home == str(tmp_path / ".headwater")
    assert "s3cret" not in repr(settings)


def test_written_profile_reads_back_and_is_closed_to_others(tmp_path: Path) -> None:
    environ = _environ(tmp_path, PROFILE)
    settings = load_settings(environ).model_copy(update={"run_store": SecretStr("postgresql://x:y@h/d")})
    path = tmp_path / "again.yaml"
    write_profile(settings, path)
    assert load_settings({**environ, "HEADWATER_PROFILE": str(path)}) == settings
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (PROFILE + "  driver_memori: 1g\n", ":9: spark.driver_memori", "driver_memory"),
        (PROFILE + "  sizes: {refine: {memory: 1g}}\n", ":9: spark.sizes.refine.memory", "executor_memory"),
        (PROFILE + "  kubernetes: {image: i, img: x}\n", ":9: spark.kubernetes.img", "image_pull_policy"),
        (PROFILE + "colour: red\n", ":9: colour", "installation"),
        (PROFILE + "installation: again\n", ":9: installation", "twice"),
        (PROFILE.replace("DB_PASSWORD", "NOT_SET"), ":2: run_store", "${NOT_SET}"),
        ("installation: [\n", ":2", "not YAML"),
        ("- a\n", ":1", "mapping"),
    ],
)
def test_wrong_profile_names_file_line_and_key(tmp_path: Path, text: str, place: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_settings(_environ(tmp_path, text))
    assert f"profile.yaml{place}" in str(caught.value)
    assert words in str(caught.value)


def test_missing_profile_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="make demo"):
        load_settings({"HEADWATER_HOME": str(tmp_path)})


def test_repository_is_the_nearest_folder_with_dags(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert repository_root({}, tmp_path / "a" / "b") == tmp_path
