"""Rows of relations in PostgreSQL."""
