"""What can be said of the images without building them: pinned, unprivileged, nothing slips in, nothing is left."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FINAL = ("airflow", "spark")
REQUIREMENTS = ("requirements.txt", "requirements-spark.txt")
COMPILERS = re.compile(r"\b(gcc|g\+\+|build-essential|make|clang|python3-dev)\b")


def _instructions() -> list[tuple[str, str]]:
    """Instruction and its arguments, continued lines joined, comments left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    assert len(found) > 20
    return [(word, re.sub(r"\s+", " ", rest)) for word, rest in found]


def _stages() -> dict[str, list[tuple[str, str]]]:
    """Stage -> its instructions, that of its parent's stages included."""
    stages: dict[str, list[tuple[str, str]]] = {}
    for word, rest in _instructions():
        if word == "FROM":
            parent, _, name = rest.partition(" AS ")
            stages[name] = list(stages.get(parent, []))
            continue
        if stages:
            stages[next(reversed(stages))].append((word, rest))
    return stages


def _runs() -> Iterator[str]:
    return (rest for word, rest in _instructions() if word == "RUN")


def test_every_stage_stands_on_the_one_base_which_has_no_default() -> None:
    arguments = [rest for word, rest in _instructions() if word == "ARG"]
    assert arguments == ["BASE_IMAGE"]
    known = {"${BASE_IMAGE}"}
    for word, rest in _instructions():
        if word == "FROM":
            parent, _, name = rest.partition(" AS ")
            assert parent in known
            known.add(name)
    assert set(FINAL) <= known


@pytest.mark.parametrize("stage", FINAL)
def test_images_run_as_nobody_special_and_say_whether_they_are_well(stage: str) -> None:
    inside = _stages()[stage]
    assert [rest for word, rest in inside if word == "USER"][-1] == "50000:0"
    assert "headwater" in [rest for word, rest in inside if word == "HEALTHCHECK"][-1]
    assert [word for word, _ in inside][-2:] == ["ENTRYPOINT", "CMD"]


def test_python_comes_from_the_wheel_and_hashed_requirements_only() -> None:
    installs = [part for run in _runs() for part in run.split("&&") if "pip install" in part]
    assert len(installs) == 4
    assert all("--require-hashes" in part or "--no-deps --no-index" in part for part in installs)


def test_no_compiler_is_installed() -> None:
    assert [run for run in _runs() if COMPILERS.search(run)] == []


def test_package_lists_are_not_left_in_a_layer() -> None:
    updates = [run for run in _runs() if "apt-get update" in run]
    assert updates
    assert all("--no-install-recommends" in run and "rm -rf /var/lib/apt/lists" in run for run in updates)


def test_nothing_is_added_from_an_address_and_no_secret_is_an_argument() -> None:
    assert [rest for word, rest in _instructions() if word == "ADD"] == []
    said = " ".join(rest for word, rest in _instructions() if word in {"ENV", "ARG", "RUN"})
    assert re.search(r"https?://|PASSWORD|SECRET|TOKEN", said) is None


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_has_a_version_and_hashes(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert len(lines) > 50
    assert [line[:60] for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_spark_image_carries_no_airflow() -> None:
    assert "apache-airflow" not in (ROOT / "requirements-spark.txt").read_text()


def test_the_context_holds_what_the_dockerfile_copies_and_nothing_else() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = [rest.split() for word, rest in _instructions() if word == "COPY" and "--from" not in rest]
    copied = {name for words in copies for name in words[:-1] if not name.startswith("--")}
    assert allowed == copied | {"Dockerfile"}


@pytest.mark.parametrize(
    "script", ["image/entrypoint", "image/spark-entrypoint", "image/make-base", "image/test", "deploy/check"]
)
def test_scripts_are_what_their_shell_can_read(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    shell = path.read_text().splitlines()[0].removeprefix("#!").split()[-1]
    assert subprocess.run([shell, "-n", str(path)], check=False).returncode == 0
