"""The pinned jars of Spark: fetched once per user by the Ivy inside pyspark, checked by sha256, kept for later."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headwater.adapters.embedded.java import find_java
from headwater.domain.errors import StackError
from headwater.domain.storage import is_in_s3

LOCK = Path(__file__).with_name("jars.lock")


@dataclass(frozen=True, slots=True)
class Jar:
    """A pinned jar: where it comes from and what its content must be."""

    organisation: str
    module: str
    version: str
    sha256: str
    only_s3: bool = False
    """Needed by a warehouse in S3 only."""

    @property
    def file_name(self) -> str:
        return f"{self.module}-{self.version}.jar"


def locked_jars(lock: Path = LOCK) -> tuple[Jar, ...]:
    """The jars of the lock file, in its order."""
    lines = [line.split() for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    return tuple(_jar(*line) for line in lines)


def jars_for(warehouse: str) -> tuple[Jar, ...]:
    """Those of the lock file that Spark needs for this warehouse: what reads S3 is as large as all others."""
    return tuple(jar for jar in locked_jars() if is_in_s3(warehouse) or not jar.only_s3)


def _jar(coordinates: str, sha256: str, use: str = "") -> Jar:
    organisation, module, version = coordinates.split(":")
    return Jar(organisation, module, version, sha256, use == "s3")


def jar_cache(environ: Mapping[str, str] | None = None) -> Path:
    """``$HEADWATER_JARS``, where an image keeps them, else the user's own cache, shared by all checkouts."""
    environ = os.environ if environ is None else environ
    if named := environ.get("HEADWATER_JARS"):
        return Path(named)
    root = environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "headwater" / "jars"


def ensure_jars(folder: Path | None = None, jars: tuple[Jar, ...] | None = None) -> tuple[Path, ...]:
    """Paths of all pinned jars in ``folder`` (default: the user's cache), fetched where missing.

    :raises StackError: when a jar cannot be fetched, or its content is not what is pinned.
    """
    folder = folder or jar_cache()
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_ensure(folder, jar) for jar in (locked_jars() if jars is None else jars))


def _ensure(folder: Path, jar: Jar) -> Path:
    target = folder / jar.file_name
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fetched = _fetch(Path(scratch), jar)
            _check(fetched, jar)
            fetched.replace(target)
        return target
    _check(target, jar)
    return target


def _check(path: Path, jar: Jar) -> None:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != jar.sha256:
        raise StackError(
            f"the jar {jar.file_name} is not the one that is pinned",
            got=f"sha256 {digest}",
            allowed=f"sha256 {jar.sha256}",
            remedy=f"Delete {path} and run again; if it repeats, the registry or a proxy serves another file.",
        )


def _fetch(scratch: Path, jar: Jar) -> Path:
    java = find_java(scratch / "java").executable
    command = [str(java), "-cp", f"{pyspark_home() / 'jars'}/*", "org.apache.ivy.Main"]
    command += ["-cache", str(scratch / "ivy"), "-dependency", jar.organisation, jar.module, jar.version]
    command += ["-notransitive", "-types", "jar", "-confs", "default"]
    command += ["-retrieve", f"{scratch}/[artifact]-[revision].[ext]"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    path = scratch / jar.file_name
    if not path.exists():
        raise StackError(
            f"the jar {jar.file_name} could not be fetched",
            got=" | ".join((told.stdout + told.stderr).strip().splitlines()[-3:])[:500],
            remedy=f"Check the network, or copy the file into {jar_cache()} by hand; its sha256 is checked.",
        )
    return path


def pyspark_home() -> Path:
    """Folder of the installed pyspark, found without importing it.

    :raises StackError: when it is not installed.
    """
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise StackError("pyspark is not installed", remedy="Install the extra `headwater[spark]`.")
    return Path(spec.origin).parent
