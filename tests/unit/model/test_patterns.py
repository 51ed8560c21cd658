"""Spark's regular expressions are Java's: only what is wrong in any dialect may be refused without asking Java."""

from __future__ import annotations

import pytest

from headwater.model.patterns import pattern_fault


@pytest.mark.parametrize(
    "pattern",
    ["(", "a)", "[a", "[^", "*a", "a|*b", "(*a)", "(?:+)", "a\\", "a{3,2}", "[z-a]", "(?<x>a", "(" * 2000, ""],
)
def test_what_no_dialect_compiles_is_refused(pattern: str) -> None:
    assert pattern_fault(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"^[A-Z]{2}$", r"\d{4}-\d{2}", r"a++", r"(?>a+)b", r"(?i)x", r"a(?i)b", r"(?-i:a)", r"(?U)a", r"(?d:a)"),
        *(r"\p{Lu}+", r"[\p{L}-]", r"\x{41}", r"\h\R", r"\Q(\E", r"(?<name>x)\k<name>", r"(?<!a)b", r"(?<=a|bc)d"),
        *(r"[a-z&&[^b]]", r"[[:alpha:]]", r"[\w-z]", r"^*a", r"a{2}{3}", r"(a)\2", r"\\", r"[(]", r"\("),
    ],
)
def test_what_java_knows_is_not(pattern: str) -> None:
    assert pattern_fault(pattern) is None
