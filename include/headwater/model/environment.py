"""The code beside the repository that a transform's result depends on: what is installed, and what is locked."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

LOCKS = ("uv.lock", "requirements.txt")
_PACKAGES = ("headwater", "pyspark", "sqlglot")
_CODE = "headwater_spark"


def environment_digest(root: Path) -> str:
    """Digest over package versions, the code of the Spark part and the lock files of the repository.

    The code itself counts beside its version, because an editable installation changes without one.
    """
    digest = hashlib.sha256(_installed().encode())
    for name in LOCKS:
        file = root / name
        digest.update(f"{name}:".encode() + (file.read_bytes() if file.is_file() else b"none"))
    return digest.hexdigest()


@cache
def _installed() -> str:
    parts = [f"{package} {_version(package)}" for package in _PACKAGES]
    found = find_spec(_CODE)
    for location in (found.submodule_search_locations or ()) if found else ():
        for path in sorted(Path(location).rglob("*.py")):
            text = hashlib.sha256(path.read_bytes()).hexdigest()
            parts.append(f"{path.relative_to(location).as_posix()} {text}")
    return "\n".join(parts)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"  # an Airflow image without Spark
