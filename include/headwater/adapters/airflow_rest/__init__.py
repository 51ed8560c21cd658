"""Airflow's REST API, version 2."""

from headwater.adapters.airflow_rest.client import RestAirflowApi
from headwater.adapters.airflow_rest.deployments import DagVersion, Deployments
from headwater.adapters.airflow_rest.health import unwell
from headwater.adapters.airflow_rest.run_states import RestRunStates

__all__ = ["DagVersion", "Deployments", "RestAirflowApi", "RestRunStates", "unwell"]
