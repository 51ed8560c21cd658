"""Revisions, numbered in order; a published one is never edited."""
