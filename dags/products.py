"""One Airflow DAG per file in dags/products."""

from pathlib import Path

from headwater_airflow.dag_factory import register_products

register_products(globals(), Path(__file__).resolve().parents[1], requires=">=0.1,<0.2")
