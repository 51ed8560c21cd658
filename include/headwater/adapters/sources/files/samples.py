"""Some records of a file, as texts, for the guesses of a new source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SAMPLE_BYTES = 1 << 20
MOST_RECORDS = 10_000


class UnreadableSampleError(Exception):
    """The file cannot be looked into; carries why, in words."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Records of one file. :param options: how they are written, in the words of the YAML.

    :param texts_only: columns that hold a text in some record, whatever stands in it.
    """

    names: tuple[str, ...]
    rows: Sequence[Sequence[str | None]]
    options: dict[str, Any] = field(default_factory=dict)
    texts_only: frozenset[str] = frozenset()
