"""Rows a transform should have made, beside the rows it made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from headwater.domain.base import Value

Row = Mapping[str, str | None]
MOST_PAIRED = 200
"""Pairing compares every row with every other; above this many of one side rows are shown unpaired."""


class RowDifference(Value):
    """One row of a fixture that is not as expected.

    :param expected: column -> value as text; None for a row that nobody expected.
    :param made: column -> value as text; None for a row that was not made.
    """

    test: str
    file: str
    line: int | None = None
    expected: dict[str, str | None] | None = None
    made: dict[str, str | None] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns whose values differ; empty when one of the two rows is absent."""
        expected, made = self.expected or {}, self.made or {}
        return tuple(name for name in expected if name in made and expected[name] != made[name])

    @property
    def text(self) -> str:
        """The difference on one line."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        if self.expected is not None and self.made is not None:
            wrong = ", ".join(
                f"{n} is {shown(self.made[n])} instead of {shown(self.expected[n])}" for n in self.columns
            )
            same = {name: value for name, value in self.expected.items() if name not in self.columns}
            return f"{place}: {self.test}: {wrong}" + (f" in the row {row_text(same)}" if same else "")
        if self.expected is not None:
            return f"{place}: {self.test}: expected and not made: {row_text(self.expected)}"
        return f"{place}: {self.test}: made and not expected: {row_text(self.made or {})}"


def shown(value: str | None) -> str:
    """A value in a row; NULL is not the word."""
    return "NULL" if value is None else repr(value)


def row_text(row: Row) -> str:
    """``origin='EWR', tailnum=NULL``."""
    return ", ".join(f"{name}={shown(value)}" for name, value in row.items())


def pair_rows(expected: Sequence[Row], made: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """Rows of one side only, each with the row of the other side that it is most likely meant to be.

    Equal rows are taken off first, as often as both sides have them. Two rows are a pair when at least half of their
    values are equal; the most alike are paired first.
    """
    lacking, surplus = _without(expected, made), _without(made, expected)
    pairs: list[tuple[Row | None, Row | None]] = []
    if len(lacking) <= MOST_PAIRED and len(surplus) <= MOST_PAIRED:
        alike = sorted(
            ((_alike(a, b), -i, -j) for i, a in enumerate(lacking) for j, b in enumerate(surplus)), reverse=True
        )
        taken: set[tuple[str, int]] = set()
        for score, i, j in alike:
            if score >= 0.5 and ("e", -i) not in taken and ("m", -j) not in taken:
                taken |= {("e", -i), ("m", -j)}
                pairs.append((lacking[-i], surplus[-j]))
        lacking = [row for index, row in enumerate(lacking) if ("e", index) not in taken]
        surplus = [row for index, row in enumerate(surplus) if ("m", index) not in taken]
    return [*pairs, *((row, None) for row in lacking), *((None, row) for row in surplus)]


def _without(rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    left = Counter(_key(row) for row in others)
    found = []
    for row in rows:
        if left[_key(row)]:
            left[_key(row)] -= 1
        else:
            found.append(row)
    return sorted(found, key=lambda row: [(value is None, value or "") for value in row.values()])


def _key(row: Row) -> tuple[tuple[str, str | None], ...]:
    return tuple(row.items())


def _alike(one: Row, other: Row) -> float:
    return sum(other.get(name, "\0") == value for name, value in one.items()) / len(one) if one else 0.0
