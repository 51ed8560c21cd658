"""Airflow for the tests of DAGs: no examples, the repository's own DAG folder."""

from __future__ import annotations

import importlib
import os
import shutil
import warnings
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

with warnings.catch_warnings():
    # importing Airflow with all its providers warns about things none of them is going to change for us
    warnings.simplefilter("ignore")
    importlib.import_module("airflow.dag_processing.dagbag")
    importlib.import_module("airflow.serialization.serialized_objects")
    importlib.import_module("airflow.providers_manager").ProvidersManager().initialize_providers_asset_uri_resources()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what a Git bundle carries: DAG files, YAML, SQL, contracts, fixtures."""
    for folder in ("dags", "sql", "include/contracts", "tests/sources"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=ignored)
    return tmp_path
