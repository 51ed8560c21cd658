"""Headwater: one YAML file per source becomes audited Iceberg tables. This package knows neither Airflow nor Spark."""
