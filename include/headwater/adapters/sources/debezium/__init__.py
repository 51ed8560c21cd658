"""Debezium's JSON change events, with schemas or without, as rows of a bronze table of changes."""
