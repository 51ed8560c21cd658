"""The Airflow DAGs Headwater brings itself."""

from headwater_airflow.dag_factory import register_operations

register_operations(globals())
