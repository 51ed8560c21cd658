"""Columns of texts to typed columns by Arrow: all of a column, and only where ``text_values`` takes the same values.

What Arrow takes and ``text_values`` does not (hexadecimal digits, exponents of decimals, NaN, a date for a time …)
is kept from it by a few characters, searched for in all of a column's texts at once, by the texts' lengths, and by what
the values are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from headwater.adapters.sources.arrow_types import arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

_TAKEN_BY_ARROW_ALONE = {"int": (b"x", b"X"), "long": (b"x", b"X"), "decimal": (b"e", b"E")}
"""What of a type's texts says that Arrow takes them and ``text_values`` does not. A search for a character that is not
there costs next to nothing; to ask of each character whether it is one of the type's took five times as long."""
_MINUTE, _SECOND_Z, _SECOND_HOUR = 16, 20, 22
"""Lengths of ``2013-01-01 05:06``, ``2013-01-01 05:06:07Z`` and ``2013-01-01 05:06:07+08``, which is as long as
``2013-01-01 05:06+08:00``: without seconds, no zone is taken."""
_CALENDAR = {
    "date": ("int32", -719_162, 2_932_896),
    "timestamp": ("int64", -62_135_596_800_000_000, 253_402_300_799_999_999),
}
"""Days and microseconds since 1970 of the years 1 to 9999, and what they are stored as."""
Typed = Callable[["pa.Array"], "pa.Array | None"]


def typing_of(kind: str, live: str) -> Typed | None:
    """How a column of texts that is declared as one Iceberg type goes into a live column; None where Arrow cannot.

    What it gives for a column is None where not every text is surely a value of the type.
    """
    import pyarrow as pa

    declared, target = arrow_type(kind), arrow_type(live)
    if declared is None or target is None:
        return None

    def typed(texts: pa.Array) -> pa.Array | None:
        try:
            values = _values(texts, kind, declared)
            return values if values is None or declared == target else values.cast(target)
        except pa.ArrowInvalid:
            return None

    return typed


def _values(texts: pa.Array, kind: str, declared: pa.DataType) -> pa.Array | None:
    if kind == "string":
        return texts
    if kind == "boolean":
        return _booleans(texts)
    if kind in ("timestamp", "timestamptz"):
        return _instants(texts, declared)
    refused = _TAKEN_BY_ARROW_ALONE.get(kind.partition("(")[0], ())
    if refused and any(map(_content(texts).__contains__, refused)):
        return None
    values = texts.cast(declared)
    return values if _is_within(values, kind) else None


def _instants(texts: pa.Array, declared: pa.DataType) -> pa.Array | None:
    """Time stamps, of which Arrow takes those without minutes too. A timestamptz without a zone is UTC (rule 30)."""
    content = _content(texts)
    has_sign = b"+" in content
    values = None if has_sign or b"Z" in content else _without_zone(texts)
    if values is not None:
        least = _MINUTE
    else:
        has_sign = has_sign or content.count(b"-") != 2 * (len(texts) - texts.null_count)
        values, least = texts.cast(declared), _SECOND_HOUR if has_sign else _SECOND_Z
    return values.view(declared) if _are_whole(texts, least) and _is_within(values, "timestamp") else None


def _without_zone(texts: pa.Array) -> pa.Array | None:
    """None where one of them has a zone, or is no time stamp at all."""
    import pyarrow as pa

    try:
        return texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None


def _are_whole(texts: pa.Array, least: int) -> bool:
    """Whether no time stamp lacks its minutes, and none with a zone its seconds."""
    import pyarrow.compute as pc

    lengths = pc.binary_length(texts)
    shortest = pc.min(lengths).as_py()
    if shortest is None or shortest > least or least != _SECOND_HOUR:
        return shortest is None or shortest >= least
    content = _content(texts.filter(pc.equal(lengths, _SECOND_HOUR)))
    seconds = content[_MINUTE::_SECOND_HOUR]
    return shortest == least and seconds == b":" * len(seconds)


def _content(texts: pa.Array) -> bytes:
    """The texts behind each other; those that are NULL have none."""
    return bytes(texts.buffers()[2] or b"")


def _booleans(texts: pa.Array) -> pa.Array | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    lowered = pc.ascii_lower(texts)
    true, false = (pc.is_in(lowered, pa.array(words)) for words in (["true", "t", "1"], ["false", "f", "0"]))
    if not pc.all(pc.or_(pc.or_(true, false), pc.is_null(texts))).as_py():
        return None
    return pc.if_else(pc.is_valid(texts), true, None)


def _is_within(values: pa.Array, kind: str) -> bool:
    """Whether all are of the years 1 to 9999, or finite."""
    import pyarrow.compute as pc

    if kind in ("float", "double"):
        return pc.all(pc.is_finite(values)).as_py() is not False
    bounds = _CALENDAR.get(kind)
    if bounds is None or values.null_count == len(values):
        return True
    found = pc.min_max(values.view(bounds[0]))
    return bool(bounds[1] <= found["min"].as_py() and found["max"].as_py() <= bounds[2])
