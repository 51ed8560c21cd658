"""Composition root of the command line: wires adapters into services and prints."""
