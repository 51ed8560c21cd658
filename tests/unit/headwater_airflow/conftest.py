"""Airflow reads its settings when it is first imported, so it gets them before any test module is."""

from __future__ import annotations

import importlib
import os
import warnings

os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("AIRFLOW__API__BASE_URL", "http://airflow.test:8080")

with warnings.catch_warnings():
    # svcs, which Airflow needs, imports Starlette's test client, which warns that httpx2 is not installed
    warnings.simplefilter("ignore")
    importlib.import_module("airflow.api_fastapi.app")
