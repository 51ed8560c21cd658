"""Python functions that make tables: found in installed distributions, never imported here (rule 43)."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path

from headwater.domain.spec import GoldSpec, PythonFunction
from headwater.model.schedules import Finding


def python_findings(gold: GoldSpec) -> Iterator[Finding]:
    """A function that nobody would find, or a mode that needs SQL; paths start at the table."""
    if gold.transform is None:
        return
    if gold.mode != "rebuild":
        message = f"mode {gold.mode} follows SQL; what a Python function makes is made anew"
        yield ("mode",), message, gold.mode, "mode: rebuild"
    yield from function_findings(gold.transform)


def function_findings(transform: PythonFunction) -> Iterator[Finding]:
    """A function that nobody would find; paths start at the table."""
    source = source_of(transform)
    path = ("transform", "python")
    if source is None:
        allowed = "a module of an installed distribution; the repository's folders hold no code"
        yield path, f"there is no module {transform.module}", transform.python, allowed
        return
    functions = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    if transform.function not in functions:
        message = f"{transform.module} has no function {transform.function}"
        yield path, message, transform.python, ", ".join(functions)


def code_digest(transform: PythonFunction) -> str:
    """What the function's code is now; part of what decides whether work already done still stands (rule 8).

    It covers the function's module. Modules it uses belong to the version of their distribution.
    """
    return hashlib.sha256((source_of(transform) or "").encode()).hexdigest()


@cache
def source_of(transform: PythonFunction) -> str | None:
    """Text of the function's module; None when it is not installed, or is no Python file."""
    found: ModuleSpec | None = None
    names = transform.module.split(".")
    for depth in range(1, len(names) + 1):
        path = None if found is None else found.submodule_search_locations
        found = _found(".".join(names[:depth]), path) if depth == 1 or path is not None else None
        if found is None:
            return None
    origin = found.origin if found is not None else None
    return Path(origin).read_text(encoding="utf-8") if origin is not None and origin.endswith(".py") else None


def _found(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Where a module is; ``importlib.util.find_spec`` would run the packages above it."""
    finders = (finder.find_spec for finder in sys.meta_path if hasattr(finder, "find_spec"))
    return next((spec for find in finders if (spec := find(name, path)) is not None), None)
