"""Headwater's outbox as an Airflow notifier, for DAGs that are not generated."""
