"""YAML files become DAGs. The files in ``dags/`` only call what is here.

Parsing reads YAML and nothing else: no database, no connection, no heavy library. At task start Airflow says which
DAG it wants, and only that one file is read.
"""

from headwater_airflow.dag_factory.maintenance import register_maintenance
from headwater_airflow.dag_factory.operations import register_operations
from headwater_airflow.dag_factory.registry import refuse_broken_files, register_products, register_sources

__all__ = [
    "refuse_broken_files",
    "register_maintenance",
    "register_operations",
    "register_products",
    "register_sources",
]
