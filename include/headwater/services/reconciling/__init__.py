"""Comparing a source with what the lake has of it, while both move."""
