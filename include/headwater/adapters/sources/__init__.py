"""Extractors: one package per kind of source."""
