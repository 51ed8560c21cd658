"""Headwater for Spark: entrypoints, transforms, tables and the gate. Never knows Airflow."""
