"""Spark through one local Connect server per home folder: started on demand, shared, stopped when idle."""
