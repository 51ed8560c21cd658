"""No DAG: Airflow shows the YAML files that give none as the import error of this file (docs/adr)."""

from pathlib import Path

from headwater_airflow.dag_factory import refuse_broken_files

refuse_broken_files(Path(__file__).resolve().parents[1])
