"""Iceberg tables through Spark: creating, evolving, branching, staging."""
