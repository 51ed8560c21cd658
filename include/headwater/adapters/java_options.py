"""Options of a JVM as a property of Spark names them: one text, which Spark splits at blanks as a shell does."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLAIN = re.compile(r"[^\s\"'\\]*")


def as_arguments(options: Mapping[str, str]) -> str:
    """System properties for ``spark.*.extraJavaOptions``; a value with blanks, such as a folder's name, stays one.

    Spark reads double quotes and, in them, a backslash before a quote or another (``CommandBuilderUtils``).
    """
    return " ".join(_quoted(f"-D{name}={value}") for name, value in options.items())


def _quoted(option: str) -> str:
    if _PLAIN.fullmatch(option):
        return option
    escaped = option.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
