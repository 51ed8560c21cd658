"""Airflow's REST API, version 2."""

from headwater.adapters.airflow_rest.client import RestAirflowApi
from headwater.adapters.airflow_rest.health import unwell

__all__ = ["RestAirflowApi", "unwell"]
