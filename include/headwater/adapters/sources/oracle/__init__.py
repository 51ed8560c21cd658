"""Rows of relations in Oracle Database."""
