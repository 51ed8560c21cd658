"""Spark stages by spark-submit: to a standalone master, to YARN, or on this machine alone."""
