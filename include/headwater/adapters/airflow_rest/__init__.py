"""Airflow's REST API, version 2."""

from headwater.adapters.airflow_rest.client import RestAirflowApi

__all__ = ["RestAirflowApi"]
