"""The one text of a value that every engine can write: by it equal content is recognised across engines.

Each Iceberg type has a family; each family has one text. Numbers, booleans and times cannot hold the separator ``|``
and stand before one; texts and bytes carry their length in characters before a colon; NULL is ``-``:

======== ==========================================================================================
family    text
======== ==========================================================================================
boolean   ``true``, ``false``
integer   decimal digits
decimal   decimal digits with exactly the scale's places, at least one digit before the point
float     the 64 bits of the double as a signed integer; ``-0.0`` counts as ``0.0``
date      ``2013-01-31``
timestamp ``2013-01-31 05:00:00.12``, without trailing zeros; a ``timestamptz`` in UTC ends with ``+00``
binary    hexadecimal digits, lower case
string    itself
======== ==========================================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_FAMILIES = {
    "boolean": "boolean",
    "int": "integer",
    "long": "integer",
    "float": "float",
    "double": "float",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "binary": "binary",
    "string": "string",
    "uuid": "string",
}
NULL = "-"
TEXTUAL = frozenset({"string", "binary"})
"""Families whose texts carry their length."""
KEY_FAMILIES = frozenset(_FAMILIES.values()) - {"float", "binary"} | {"decimal"}
"""Families a key may be of: those whose text leads back to the value."""


def family(iceberg_type: str) -> str | None:
    """The family of an Iceberg type, a decimal's with its scale; None for types without a canonical text."""
    if iceberg_type.startswith("decimal("):
        return f"decimal:{iceberg_type.removesuffix(')').rpartition(',')[2].strip()}"
    return _FAMILIES.get(iceberg_type)


def is_textual(iceberg_type: str) -> bool:
    """Whether texts of the type carry their length."""
    return family(iceberg_type) in TEXTUAL


def joined(texts: Iterable[str], types: Iterable[str]) -> str:
    """Canonical texts, none NULL, as one."""
    pairs = zip(texts, types, strict=True)
    return "".join(f"{len(text)}:{text}" if is_textual(kind) else f"{text}|" for text, kind in pairs)


def key_digest(texts: Iterable[str], types: Iterable[str]) -> str:
    """md5 of a key's canonical texts, in hexadecimal."""
    return hashlib.md5(joined(texts, types).encode(), usedforsecurity=False).hexdigest()


def bucket_of(digest: str, bits: int) -> int:
    """The bucket of a key's digest."""
    return int(digest[:8], 16) >> (32 - bits)
