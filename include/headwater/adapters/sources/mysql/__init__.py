"""Rows of relations in MySQL and MariaDB."""
