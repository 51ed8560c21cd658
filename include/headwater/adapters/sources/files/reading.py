"""Moving the files of a window into Parquet: typed rows, and everything else into quarantine as it was."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from headwater.adapters.duckdb.engine import make_room, writer
from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.batch_files import BatchFiles
from headwater.adapters.sources.digest import unless_equal
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile, ReadFile
from headwater.adapters.sources.files.parsing import Parser
from headwater.adapters.sources.judging import Texts
from headwater.adapters.sources.taking import write_judged
from headwater.adapters.sources.typed_rows import TypedRows
from headwater.ports.extractor import Extracted
from headwater.ports.failpoints import failpoint


def read(
    landing: Landing,
    files: list[LandedFile],
    into: BatchFiles,
    progress: Callable[[str], None] | None,
    digest: str | None = None,
    *,
    whole: bool = False,
) -> tuple[Extracted, list[ReadFile]]:
    """Read the files; the second value is what the ledger has to remember.

    :param whole: the files are everything there is: equal content, by its ``digest``, appends nothing (rule 28).
    """
    failpoint("extract.reading")
    extract, table = landing.extract, landing.table
    with (
        tempfile.TemporaryDirectory(prefix="headwater-files-") as scratch,
        writer() as engine,
        TypedRows(into) as rows,
    ):
        make_room(engine, len(extract.columns))
        parser = Parser(landing, engine, Path(scratch), rows, progress)
        parser.parse(files)
        origin = f"{literal(landing.connection + ':')} || file"
        texts = Texts(parser.texts, extract.columns, table.key, origin, landing.facts)
        extracted, broken = write_judged(
            engine, texts, into, parser.records, extract.max_quarantined_share, rows.finish()
        )
        if whole:
            extracted = unless_equal(engine, into.schema, extracted, digest)
    noticed = tuple(f"{words} (first in {path})" for words, path in sorted(parser.noticed.items()))
    extracted = extracted.model_copy(update={"noticed": noticed})
    paths = {item.file.path for item in parser.counted}
    per_file: Counter[str] = Counter()
    for name, count in broken:
        # a member of an archive is counted with its archive
        per_file[name if name in paths else next(path for path in paths if name.startswith(f"{path}!"))] += count
    return extracted, [item.read_file(per_file[item.file.path]) for item in parser.counted]
