"""Spark stages as SparkApplications of the Spark operator."""
