"""Headwater for Airflow: DAG factory, operators, triggers, links, the provider and the UI plugin."""
