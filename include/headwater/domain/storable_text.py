"""Texts of a source as UTF-8 and PostgreSQL can hold them: an error that cannot be stored would hide what happened."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text with halves of characters and NUL escaped."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
