"""The rows of a table that a batch of keys can touch, so that a merge neither reads nor moves the others.

What a merge costs beyond its own rows is what it reads of the table to find them. Three things keep that small: files
whose bounds hold none of the keys are not read, the keys go to the rows (a broadcast) instead of the rows to the keys,
and rows of other keys are dropped by a Bloom filter before they are moved for the MERGE itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame

from headwater_spark.tables.key_ranges import key_ranges
from headwater_spark.tables.sql_text import literal, quoted
from headwater_spark.tables.staging import Staging
from headwater_spark.tables.views import as_view

ACTION = "_hw_action"
"""Column that says what a MERGE has to do with a row."""
BROADCAST_ROWS = 500_000
"""So many keys fit into the memory of every executor, whatever their columns."""
MANY_FILES = 8
"""A table of fewer files is read whole sooner than their bounds are."""
MOST_PAIRS = 20_000_000
"""So many pairs of key and file are compared in a fraction of a second."""
MANY_ROWS = 200_000
"""A table of fewer rows is moved sooner than a Bloom filter is built."""

_BLOOM = {
    # a join that one side's estimate calls broadcast gets no filter, although MERGE's outer join can broadcast neither
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold": "0",
    "spark.sql.optimizer.runtime.bloomFilter.creationSideThreshold": "1g",
}


@dataclass(frozen=True, slots=True)
class TouchedRows:
    """The rows of ``staging``'s branch with one of the keys."""

    staging: Staging
    key: tuple[str, ...]
    keys: DataFrame
    """At least the key's columns, settled; a key may come more than once, and NULL touches nothing."""
    count: int
    """Rows of ``keys``."""
    ranges: str = "true"
    """Predicate with ``{0}`` before every column: holds for every row of the table with one of the keys."""

    def rows(self, where: str = "true") -> DataFrame:
        """Them, with all columns of the table.

        :param where: a further predicate.
        """
        keys = sent(self.keys.select(*map(quoted, self.key)), self.count)
        return self._in_range().where(where).join(keys, list(self.key), "left_semi")

    def candidates(self) -> DataFrame:
        """Them, and others where the keys are too many to be sent to the rows: for a join that finds them anyway."""
        return self.rows() if self.count <= BROADCAST_ROWS else self._in_range()

    def _in_range(self) -> DataFrame:
        return self.staging.spark.table(self.staging.target).where(self.ranges.format(""))

    def merge_source(self, actions: str, kinds: Iterable[str]) -> str:
        """The view of actions as the source of a MERGE: a Bloom filter is built of rows that a filter chose."""
        chosen = ", ".join(map(literal, sorted(kinds)))
        return f"SELECT * FROM {actions} WHERE {ACTION} IN ({chosen})"  # noqa: S608 - made of literals

    @contextmanager
    def merging(self) -> Iterator[None]:
        """While a MERGE of them runs."""
        spark = self.staging.spark
        found = {} if self.staging.base_rows < MANY_ROWS else {name: str(spark.conf.get(name)) for name in _BLOOM}
        try:
            for name in found:
                spark.conf.set(name, _BLOOM[name])
            yield
        finally:
            for name, value in found.items():
                spark.conf.set(name, value)


def sent(keys: DataFrame, count: int) -> DataFrame:
    """The keys, to be sent to the rows they are joined with, instead of the rows to them, where memory allows it.

    :param count: rows of ``keys``.
    """
    return keys.hint("broadcast") if count <= BROADCAST_ROWS else keys


def touched_rows(staging: Staging, key: Sequence[str], keys: DataFrame, count: int, *, whole: bool) -> TouchedRows:
    """What these keys touch.

    :param count: rows of ``keys``.
    :param whole: rows of any key may be touched, so that no file is left out.
    """
    found = TouchedRows(staging, tuple(key), keys, count)
    if whole or staging.base_files < MANY_FILES or staging.base_files * count > MOST_PAIRS:
        return found
    ranges = key_ranges(staging, tuple(key), as_view(keys, "keys"))
    return TouchedRows(staging, tuple(key), keys, count, ranges)
