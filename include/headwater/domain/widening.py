"""Types that hold every value of another (rule 14: only these promotions happen to a table that exists), or some."""

from __future__ import annotations

WIDENINGS = frozenset({("int", "long"), ("float", "double")})
"""Iceberg's safe promotions; decimal(p,s) -> decimal(P,s) with P > p is the other one."""


def is_widening(old: str, new: str) -> bool:
    """Whether the Iceberg type ``new`` holds every value of ``old``."""
    if (old, new) in WIDENINGS:
        return True
    if not (old.startswith("decimal(") and new.startswith("decimal(")):
        return False
    (old_digits, old_scale), (new_digits, new_scale) = _decimal(old), _decimal(new)
    return new_scale == old_scale and new_digits > old_digits


def can_be_judged(known: str, offered: str) -> bool:
    """Whether it can be told of a single value of the Iceberg type ``offered`` if it is one of ``known``.

    By what it is written as. Bytes are written in digits that a text may have by chance, so they cannot.
    """
    return "binary" not in (known, offered) and "<" not in known + offered


def _decimal(text: str) -> tuple[int, int]:
    precision, scale = text.removeprefix("decimal(").removesuffix(")").split(",")
    return int(precision), int(scale)
