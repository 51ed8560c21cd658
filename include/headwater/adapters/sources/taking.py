"""Records that are texts into files: of typed rows, and of what is set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from headwater.adapters.duckdb.sql import constant
from headwater.adapters.sources import parquet
from headwater.adapters.sources.batch_files import BatchFiles
from headwater.adapters.sources.judging import Texts, view_rejected, view_taken
from headwater.adapters.sources.rejecting import check_share
from headwater.domain.errors import SourceDataError
from headwater.domain.run import RunKey
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.ports.failpoints import failpoint

if TYPE_CHECKING:
    import duckdb


class RowsAsTexts(Protocol):
    """One extract of one relation, whose rows come as texts."""

    @property
    def table(self) -> TableSpec: ...
    @property
    def extract(self) -> SqlExtract: ...
    @property
    def stamp(self) -> BatchStamp: ...
    @property
    def schema(self) -> TableSchema: ...
    @property
    def folder(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def facts(self) -> dict[str, str]: ...


def write_judged(
    engine: duckdb.DuckDBPyConnection,
    texts: Texts,
    into: BatchFiles,
    records: int,
    allowed_share: float,
    typed: tuple[DataFile, ...] = (),
) -> tuple[Extracted, list[tuple[str, int]]]:
    """Write the good rows typed, and the rejected ones, if any, for quarantine.

    :param records: how many there are, good and bad. :param typed: files of those that were typed before.
    :returns: what was written, and how many records of each file cannot be taken.
    :raises SourceDataError: when more records cannot be taken than the table may lose.
    """
    view_taken(engine, texts)
    values = {name: f"v{place}" for place, name in enumerate(texts.columns)}
    system = parquet.system_columns(into.stamp, texts.origin, "ordinal")
    rows = typed + parquet.write_rows(engine, into.schema, values | system, "taken", into.folder, into.stem)
    failpoint("extract.mid")
    rejects: tuple[DataFile, ...] = ()
    broken: list[tuple[str, str, int]] = []
    taken = sum(file.rows for file in rows)
    if taken < records:
        view_rejected(engine, texts)
        broken = engine.execute("SELECT file, rules, count(*) FROM rejected GROUP BY ALL").fetchall()
        try:
            _check_bearable(broken, records, allowed_share, texts.facts)
        except SourceDataError:
            parquet.delete(rows)
            raise
        name = f"bronze.{RunKey.parse(into.stamp.run_key).dag_id}.{into.table}"
        rejects = parquet.write_rejects(engine, into.stamp, name, "rejected", into.folder, "ordinal")
    failpoint("extract.files")
    return Extracted.of(rows, rejects), [(file, count) for file, _, count in broken]


def judge_rows(
    engine: duckdb.DuckDBPyConnection, work: RowsAsTexts, kinds: Mapping[str, str], texts: Path, rows: int
) -> Extracted:
    """Rows of a relation, each by itself: typed, or for quarantine.

    :param kinds: the live table's types by column. :param texts: a file in the form of ``TextFile``.
    :raises SourceDataError: when more rows cannot be taken than the table may lose.
    """
    judged = Texts([texts], kinds, work.table.key, constant(work.origin), work.facts, placed=False)
    share = work.extract.max_quarantined_share
    into = BatchFiles(work.table.name, work.stamp, work.schema, work.folder)
    return write_judged(engine, judged, into, rows, share)[0]


def _check_bearable(
    broken: Sequence[tuple[str, str, int]], records: int, allowed_share: float, facts: dict[str, str]
) -> None:
    rules: Counter[str] = Counter()
    for _, names, count in broken:
        rules[names] += count
    reasons = ", ".join(f"{names} {count}" for names, count in rules.most_common(5))
    check_share(sum(rules.values()), records, allowed_share, reasons, facts)
