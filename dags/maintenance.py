"""The Airflow DAG that maintains tables. A file of its own: a wrong schedule must not take the watchdog away."""

from headwater_airflow.dag_factory import register_maintenance

register_maintenance(globals())
