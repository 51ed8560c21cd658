"""Airflow's connections and runs as Headwater's ports, and the connection types Headwater adds."""
