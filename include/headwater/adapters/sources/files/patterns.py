"""Glob patterns over paths with forward slashes, the same for folders and buckets."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_MAGIC = re.compile(r"[*?\[]")
_TEMPORARY = frozenset({"_temporary", "_spark_metadata", "_delta_log"})
"""Folders that writers keep unfinished or foreign files in."""


def has_magic(text: str) -> bool:
    return _MAGIC.search(text) is not None


def fixed_folder(pattern: str) -> str:
    """The folder below which every match lies; empty for the root."""
    parts = PurePosixPath(pattern).parts
    wild = next((place for place, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    return "/".join(parts[:wild])


def compiled(pattern: str) -> re.Pattern[str]:
    """A regular expression for whole relative paths: ``*`` and ``?`` stay in one folder, ``**`` spans any number."""
    parts = PurePosixPath(pattern).parts
    text = ""
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part == "**":
            text += ".*" if last else "(?:[^/]+/)*"
        else:
            text += _segment(part) + ("" if last else "/")
    return re.compile(text, re.DOTALL)


def is_hidden(path: str) -> bool:
    """Whether writers mean the path to be passed over: a dot in front of a part of it, or their own scratch folders."""
    return any(part.startswith(".") or part in _TEMPORARY for part in path.split("/"))


def _segment(part: str) -> str:
    text, place = "", 0
    while place < len(part):
        sign = part[place]
        end = part.find("]", place + 2) if sign == "[" else -1
        if end > 0:
            text += _choice(part[place + 1 : end])
            place = end
        else:
            text += {"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign))
        place += 1
    return text


def _choice(body: str) -> str:
    negated = body.startswith("!")
    signs = body[1:] if negated else body
    escaped = "".join("\\" + sign if sign in "\\]^[&~|" else sign for sign in signs)
    return f"(?![/])[{'^' if negated else ''}{escaped}]"
