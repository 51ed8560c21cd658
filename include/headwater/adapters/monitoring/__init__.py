"""Prometheus rules and Grafana dashboards, made from the metrics that are sent."""

from headwater.adapters.monitoring.files import monitoring_files

__all__ = ["monitoring_files"]
