"""Fingerprints of a relation's rows, computed by its database as far as it can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.printed import ASIDE
from headwater.adapters.sources.printing import HALF
from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.fingerprints import QueriedRows
from headwater.adapters.sources.queried.hashing import Hashing, hashed, hashes
from headwater.adapters.sources.queried.statements import dotted
from headwater.adapters.sources.texts import TextFile
from headwater.domain.errors import RequestError
from headwater.domain.schema import Column
from headwater.ports.reconciling import Bucket, ComparedColumn, Comparison, PrintedRow

_SAID_KEY, _SAID_CONTENT = (Column(name=f"_hw_said_{what}", type="string") for what in ("key", "content"))
_LISTED_AT_ONCE = 1_000


@dataclass
class HashedRows(QueriedRows):
    """Sums of hashes come from the database, and of rows too long for it from here.

    Rows that are looked at one by one are hashed on both sides: a server whose texts are not ours is refused, not told
    as thousands of differences. A relation with a column that the server does not hash is read as a whole.
    """

    hashing: Hashing

    def unread_keys(self, compared: Comparison) -> Iterator[str]:
        if not self._is_hashed(compared):
            yield from super().unread_keys(compared)
            return
        keyed = " AND ".join(f"{self._name(item)} IS NOT NULL" for item in compared.key)
        query = (
            f"SELECT {self.hashing.shown(self._digest(compared.key))} {self._from} "
            f"WHERE {keyed} AND CASE WHEN {self._taken(compared)} THEN 1 ELSE 0 END = 0"
        )
        for batch in self.session.batches(query):
            yield from (str(row[0]) for row in batch)

    def buckets(self, compared: Comparison) -> dict[int, Bucket]:
        if not self._is_hashed(compared):
            return super().buckets(compared)
        upper, lower = (self.hashing.number("content", first) for first in (0, 4))
        query = (
            f"SELECT bucket, COUNT(*), SUM({upper}), SUM({lower}) FROM (SELECT {self._bucket(compared)} AS bucket, "  # noqa: S608 - made of quoted names and literals
            f"{self._digest(compared.columns)} AS content {self._from} WHERE {self._short(compared)}) h GROUP BY bucket"
        )
        rows, sums = Counter[int](), Counter[int]()
        for bucket, count, high, low in self.session.all(query):
            rows[int(bucket)] += int(count)
            sums[int(bucket)] += (int(high) << 32) + int(low)
        for row_bucket, found in self._long(compared):
            rows[row_bucket] += 1
            sums[row_bucket] += int(found[:16], 16)
        return {bucket: Bucket(rows[bucket], sums[bucket] % HALF) for bucket in rows}

    def rows(self, compared: Comparison, buckets: Collection[int]) -> list[PrintedRow]:
        if not self._is_hashed(compared):
            return super().rows(compared, buckets)
        if not buckets:
            return []
        wanted, listed = f"({self._taken(compared)}) AND (", sorted(buckets)
        parts = (listed[first : first + _LISTED_AT_ONCE] for first in range(0, len(listed), _LISTED_AT_ONCE))
        among = (f"{self._bucket(compared)} IN ({', '.join(map(str, part))})" for part in parts)
        prints = self._print_where(compared, f"{wanted}{' OR '.join(among)})")
        self._check_said(prints)
        return self.found(prints, "NOT unread")

    def _long(self, compared: Comparison) -> list[tuple[int, str]]:
        """Bucket and md5 of the rows that are too long for the server."""
        fits = self.hashing.fits(self._named(compared.columns))
        if fits is None:
            return []
        prints = self._print_where(compared, f"({self._taken(compared)}) AND NOT ({fits})")
        query = f"SELECT bucket, content FROM {prints} WHERE NOT unread"  # noqa: S608 - a file of ours
        return self.engine.execute(query).fetchall()

    def _print_where(self, compared: Comparison, condition: str) -> str:
        """Print rows from their values, with what the server makes of them beside."""
        said = [(_SAID_KEY, compared.key), (_SAID_CONTENT, compared.columns)]
        texts, prints = self.scratch / "texts.parquet", self.scratch / "looked_at.parquet"
        columns = (*self.schema().columns, *(column for column, _ in said))
        with TextFile(texts, len(columns)) as target:
            self.read_where(target, condition, [(column, self._said(items)) for column, items in said])
        shown = f", b.{_SAID_KEY.name} AS said_key, b.{_SAID_CONTENT.name} AS said_content, b.{ASIDE} AS aside"
        self.print_texts(texts, compared, columns, prints, shown)
        texts.unlink()
        return literal(str(prints))

    def _said(self, columns: Sequence[ComparedColumn]) -> str:
        """The md5 of a row as the server computes it; NULL where the row is too long."""
        fits = self.hashing.fits(self._named(columns))
        shown = self.hashing.shown(self._digest(columns))
        return shown if fits is None else f"CASE WHEN {fits} THEN {shown} END"

    def _check_said(self, prints: str) -> None:
        """:raises RequestError: when the server hashes a row otherwise than the lake's engine does its values."""
        other = "NOT aside AND (said_key <> digest OR said_content <> content)"
        found = self.engine.execute(f"SELECT key FROM {prints} WHERE {other} LIMIT 1").fetchone()  # noqa: S608 - a file of ours
        if found is not None:
            raise RequestError(
                f"rows of {self.relation} cannot be compared: the server's hash of a row is not that of its values",
                got=f"the row with the key {', '.join(map(str, found[0]))}",
                allowed="a server that writes every value as its documentation says (badge: protocol only)",
                remedy="Leave the table out, and report the types of its columns and the version of the server.",
                facts={"table": self.table.name, "relation": self.relation},
            )

    def _is_hashed(self, compared: Comparison) -> bool:
        return hashes(self._named(compared.columns), self.database, self.hashing)

    def _taken(self, compared: Comparison) -> str:
        """True of rows that a run has read as they are now, and of no row with NULL in its key."""
        parts = [f"{self._name(item)} IS NOT NULL" for item in compared.key]
        cursor = self.cursor(compared)
        if cursor is not None and compared.watermark is not None:
            parts.append(cursor.inside(None, compared.watermark))
        if not self._as_null:
            beyond = ((item.beyond, f"t.{self.database.quoted(item.name)}") for item in self.columns.values())
            parts += [f"CASE WHEN {rule.format(name)} THEN 1 ELSE 0 END = 0" for rule, name in beyond if rule]
        return " AND ".join(parts)

    def _short(self, compared: Comparison) -> str:
        fits = self.hashing.fits(self._named(compared.columns))
        return self._taken(compared) + (f" AND {fits}" if fits else "")

    def _bucket(self, compared: Comparison) -> str:
        return self.hashing.shifted(self.hashing.number(self._digest(compared.key), 0), 32 - compared.bits)

    def _digest(self, columns: Sequence[ComparedColumn]) -> str:
        return hashed(self._named(columns), self.database, self.hashing, as_null=self._as_null)

    def _named(self, columns: Sequence[ComparedColumn]) -> list[QueriedColumn]:
        return [self.columns[item.source] for item in columns]

    def _name(self, column: ComparedColumn) -> str:
        return f"t.{self.database.quoted(column.source)}"

    @property
    def _as_null(self) -> bool:
        return sql_extract(self.table).non_finite == "null"

    @property
    def _from(self) -> str:
        return f"FROM {dotted(self.database, self.pair)} t"
