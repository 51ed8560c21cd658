"""Spark stages as applications of their own: the job goes by a shared folder, and so does its answer (ADR 22)."""
