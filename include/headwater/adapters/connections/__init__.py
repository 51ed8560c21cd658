"""Connections by id, for the command line; inside Airflow its own are used (rule 42)."""

from headwater.adapters.connections.environment import EnvironmentConnections

__all__ = ["EnvironmentConnections"]
