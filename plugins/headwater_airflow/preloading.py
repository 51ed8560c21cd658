"""Imports the scheduler of a LocalExecutor does once, so that no forked task does them again.

Called from ``airflow_local_settings.py``, the module Airflow imports in every component before it starts. A task of the
chain needs seconds of imports (pyiceberg, pyarrow and the pandas it brings, SQLAlchemy) for tenths of a second of work.
Nothing here opens a connection or starts a thread, because neither survives a fork.
"""

from __future__ import annotations

import importlib
import shutil
import sys

SHARED = (
    "pyiceberg.catalog.sql",
    "pyiceberg.io.pyarrow",
    "duckdb",
    "psycopg",
    "headwater.adapters.platform",
    "headwater.adapters.iceberg",
    "headwater.adapters.run_store",
    "headwater.adapters.incident_store",
    "headwater.services.stages.extraction",
    "headwater.services.stages.validation",
)
GIT_BUNDLE = "airflow.providers.git.bundles.git"
"""Every task imports the classes of all configured bundles before it looks for its own. Needs Git to be installed."""


def preload_in_scheduler(arguments: list[str] | None = None) -> None:
    """Import what tasks share, in the scheduler only: the other components would just grow."""
    if "scheduler" in (sys.argv if arguments is None else arguments):
        for module in (*SHARED, GIT_BUNDLE) if shutil.which("git") else SHARED:
            importlib.import_module(module)
