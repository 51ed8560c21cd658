"""The system columns of bronze as Arrow's columns, without an object per row."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from headwater.domain.run import position_prefix
from headwater.ports.extractor import BatchStamp

if TYPE_CHECKING:
    import pyarrow as pa

_DIGITS = 12
_PATTERNS = {unit: b"".join(b"%d" % digit * unit for digit in range(10)) for unit in (1, 10, 100, 1000)}
"""The digits that count small units, as they recur."""


class Stamped:
    """The system columns of rows (rule 26). What many rows have alike is made once, for the most rows asked for."""

    def __init__(self, stamp: BatchStamp) -> None:
        self._stamp, self._positions = stamp, _Positions(position_prefix(stamp.planned_at))
        self._alike: dict[str, pa.Array] = {}
        self._rows, self._origin = -1, ""

    def columns(self, rows: int, origin: str, ordinal: int) -> dict[str, pa.Array]:
        """Each column by its name, for rows of one origin that follow each other."""
        if rows > self._rows or origin != self._origin:
            self._rows, self._origin = max(rows, self._rows), origin
            self._alike = self._made(self._rows)
        alike = {name: column.slice(0, rows) for name, column in self._alike.items()}
        return alike | {"_hw_position": self._positions.of(ordinal, rows)}

    def _made(self, rows: int) -> dict[str, pa.Array]:
        import pyarrow as pa

        planned_at = pa.scalar(self._stamp.planned_at, pa.timestamp("us", "UTC"))
        return {
            "_hw_batch": pa.repeat(pa.scalar(self._stamp.batch, pa.int64()), rows),
            "_hw_run_key": _constant(self._stamp.run_key, rows),
            "_hw_extracted_at": pa.repeat(planned_at, rows),
            "_hw_op": _constant("r", rows),
            "_hw_origin": _constant(self._origin, rows),
        }


class _Positions:
    """Positions of rows that follow each other (rule 27): their common start at once, each other digit as a column."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.encode()
        self._width = len(self._prefix) + _DIGITS
        self._offsets: Any = None
        self._known = -1

    def of(self, ordinal: int, rows: int) -> pa.Array:
        """``prefix`` and twelve digits for each of ``ordinal, ordinal + 1 …``."""
        import pyarrow as pa

        if rows > self._known:
            self._offsets = pa.py_buffer(array("i", range(0, (rows + 1) * self._width, self._width)))
            self._known = rows
        content = bytearray((self._prefix + b"%0*d" % (_DIGITS, ordinal)) * rows)
        for power in range(_DIGITS):
            unit = 10**power
            if ordinal // unit == (ordinal + rows - 1) // unit:
                break
            content[self._width - 1 - power :: self._width] = _column(ordinal, rows, unit)
        return pa.Array.from_buffers(pa.string(), rows, [None, self._offsets, pa.py_buffer(content)])


def _column(ordinal: int, rows: int, unit: int) -> bytes:
    """The digit that counts this unit, of each of ``ordinal, ordinal + 1 …``."""
    if pattern := _PATTERNS.get(unit):
        start = ordinal % len(pattern)
        return (pattern * ((start + rows) // len(pattern) + 1))[start : start + rows]
    runs, end = [], ordinal + rows
    while ordinal < end:
        upto = min((ordinal // unit + 1) * unit, end)
        runs.append(b"%d" % (ordinal // unit % 10) * (upto - ordinal))
        ordinal = upto
    return b"".join(runs)


def _constant(text: str, rows: int) -> pa.Array:
    """One entry of a dictionary, so that no row's text is hashed."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), pa.array([text]))
