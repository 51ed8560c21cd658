"""Changes into a silver table, in each mode, against ``pyiceberg`` upsert of the same changes into the same rows.

    uv run python benchmarks/merge_silver.py --rows 1000000 --changes 100000

One warm Spark server, one run, the same changes as several batches one after the other. Prints wall seconds and what
their medians are to each other; row counts and sums are compared before a time counts. Goals: upsert at least 10x
pyiceberg; scd2 within 2x of upsert; 1 % late keys at most 2x; a layer of twenty tables at most 4x one of one table,
each a stage as Airflow runs it, in a process of its own on the running server, and on one that the stage has to start.

The anchor has two forms: a key of one integer column, its best case, and one of two columns, for which it writes a
condition for each row. That one runs in a process of its own, for few changes and for all, since it may end it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

from silver_tables import MODES, Bench, server

from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.domain.run import InputRef
from headwater.domain.settings import CatalogSettings

LAYERS = {"one table": ["alone"], "20 tables": [f"t{n}" for n in range(20)]}
FEW = 7_000
"""Changes by a key of two columns that the anchor still survives; 10,000 end its process (pyiceberg 0.12.0)."""
Times = dict[str, list[float]]
Anchor = tuple[float, tuple[int, float]]
"""Seconds, and rows and a sum of what the table holds then."""


@dataclass(frozen=True)
class Load:
    """How many rows there are at first, and how many change: nine of ten are known, spread over the table."""

    rows: int
    number: int
    rounds: int

    @property
    def first(self) -> str:
        return f"SELECT id AS k FROM range({self.rows})"

    @property
    def changes(self) -> str:
        return self._changes(self.number)

    @property
    def few(self) -> str:
        return self._changes(FEW)

    def _changes(self, number: int) -> str:
        known = f"SELECT id * {self.rows * 10 // (number * 9)} AS k FROM range({number * 9 // 10})"
        return f"{known} UNION ALL SELECT id + {self.rows} AS k FROM range({number // 10})"


def pyiceberg_upsert(catalog: CatalogSettings, source: str, batch: int, key: tuple[str, ...]) -> Anchor:
    """The anchor: the same rows and the changes of a batch, by ``Table.upsert``, into a table made here."""
    from pyarrow import compute
    from pyiceberg.catalog.sql import SqlCatalog

    lake = SqlCatalog("lake", uri=catalog.uri.get_secret_value(), warehouse=catalog.warehouse, schema_version="v1")
    given = lake.load_table(("bronze", source))
    names = tuple(name for name in given.schema().column_names if not name.startswith("_hw_"))
    rows, new = (given.scan(row_filter=f"_hw_batch == {one}", selected_fields=names).to_arrow() for one in (1, batch))
    table = lake.create_table(("bronze", f"{source}_anchor_{batch}"), schema=rows.schema)
    table.append(rows)
    began = time.perf_counter()
    table.upsert(new, join_cols=list(key))
    took = time.perf_counter() - began
    held = table.scan(selected_fields=("amount", "v")).to_arrow()
    return took, (held.num_rows, float(compute.sum(compute.add(held["amount"], held["v"])).as_py()))


def apart(catalog: CatalogSettings, source: str, batch: int, key: tuple[str, ...]) -> float | str:
    """The anchor's seconds in a process of its own, or what ended it."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(pyiceberg_upsert, catalog, source, batch, key).result()[0]
        except BrokenProcessPool:
            return "its process was ended by a signal"


def merged(bench: Bench, load: Load, name: str, mode: str, late: str = "false") -> list[float]:
    """Seconds of each merge of the same changes, of a new batch each time, into a table of the first rows."""
    stream = mode in MODES

    def refined(batch: int, keys: str, late: str = "false") -> float:
        return bench.refine({name: bench.bronze(name, batch, keys, late, changes=stream)}, mode)

    refined(1, load.first)
    return [refined(batch, load.changes, late) for batch in range(2, load.rounds + 2)]


def streams(bench: Bench, load: Load) -> Times:
    """Streams of changes, applied as either form: none late, and 1 % of the keys."""
    found = {}
    for number, mode in enumerate(MODES):
        for what, late in ((mode, "false"), (f"{mode}, late", "k % 100 = 0")):
            name = f"stream{number}{'_late' if what != mode else ''}"
            found[what] = merged(bench, load, name, mode, late)
    return found


def pairs(bench: Bench, load: Load, catalog: CatalogSettings) -> tuple[Times, list[str]]:
    """Upsert by a key of two columns, few changes and all of them, and what the anchor makes of each."""
    key, name, times, said = ("k", "shop"), "pair", {}, []
    bench.done(bench.job({name: bench.bronze(name, 1, load.first)}, "upsert", key))
    for batch, (what, changes) in enumerate((("few", load.few), ("all", load.changes)), 2):
        took = bench.done(bench.job({name: bench.bronze(name, batch, changes)}, "upsert", key))
        times[f"pair, {what}"] = [took]
        anchor = apart(catalog, f"bench__{name}", batch, key)
        if isinstance(anchor, float):
            times[f"pyiceberg, pair, {what}"] = [anchor]
        else:
            said.append(f"pyiceberg, pair, {what}: {anchor}")
    return times, said


def layers(bench: Bench, rounds: int, engine: ConnectEngine) -> Times:
    """One table of 10,000 rows and twenty, each a stage of its own process, and the same without the process."""
    times: Times = {}
    for batch in range(1, 2 * rounds + 2):
        stage = engine.run if batch % 2 else None
        for what, names in LAYERS.items():
            took = bench.refine(small_batches(bench, names, batch), "upsert", stage)
            if batch > 1:  # the first makes the tables
                times.setdefault(what if stage else f"{what}, no process", []).append(took)
    return times


def started_layers(bench: Bench, rounds: int, engine: ConnectEngine) -> Times:
    """The same stages where no server runs, as in the first of a quiet hour; nothing is published.

    Ends the server of ``bench``, whose tables can be asked nothing afterwards.
    """
    batch = 2 * rounds + 2
    inputs = {what: small_batches(bench, names, batch) for what, names in LAYERS.items()}
    times: Times = {}
    for _ in range(rounds):
        for what, tables in inputs.items():
            job = bench.job(tables, "upsert")
            engine.server.stop()
            began = time.perf_counter()
            failed = [result.error for result in engine.run(job).tables if result.staged is None]
            times.setdefault(f"{what}, server started", []).append(time.perf_counter() - began)
            if failed:
                raise SystemExit(str(failed))
    return times


def small_batches(bench: Bench, names: list[str], batch: int) -> dict[str, InputRef]:
    return {name: bench.bronze(name, batch, "SELECT id AS k FROM range(10000)") for name in names}


def main(load: Load) -> int:
    times: Times = {}
    with server() as (bench, settings):
        times["upsert"] = merged(bench, load, "upsert", "upsert")
        anchors = [pyiceberg_upsert(settings.catalog, "bench__upsert", n + 2, ("k",)) for n in range(load.rounds)]
        times["pyiceberg"] = [took for took, _ in anchors]
        times["scd2"] = merged(bench, load, "scd2", "scd2")
        times["late"] = merged(bench, load, "late", "scd2", "k % 100 = 0")
        same = [bench.facts("upsert", "NOT _hw_deleted"), bench.facts("scd2", "is_current"), anchors[-1][1]]
        times |= streams(bench, load)
        of_pairs, said = pairs(bench, load, settings.catalog)
        engine = ConnectEngine(settings)
        times |= of_pairs | layers(bench, load.rounds, engine)
        times |= started_layers(bench, load.rounds, engine)
    if len(set(same)) > 1:
        sys.stdout.write(f"the tables differ: {same}\n")
        return 1
    report(times, sys.stdout.write)
    sys.stdout.writelines(f"{line}\n" for line in said)
    return 0


def report(times: Times, write: Callable[[str], object]) -> None:
    for name, seconds in times.items():
        write(f"{name:28} {', '.join(f'{one:.2f}' for one in seconds)} s\n")
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    ratios = (
        ("pyiceberg / upsert (goal: at least 10)", "pyiceberg", "upsert"),
        ("scd2 / upsert (goal: at most 2)", "scd2", "upsert"),
        ("1 % late / scd2 (goal: at most 2)", "late", "scd2"),
        ("cdc: 1 % late / none", "cdc, late", "cdc"),
        ("cdc as scd2: 1 % late / none", "cdc as scd2, late", "cdc as scd2"),
        ("20 tables / one (goal: at most 4)", "20 tables", "one table"),
        ("20 tables / one, no process", "20 tables, no process", "one table, no process"),
        ("20 tables / one, server started", "20 tables, server started", "one table, server started"),
        ("pyiceberg / upsert, pair, few", "pyiceberg, pair, few", "pair, few"),
        ("pyiceberg / upsert, pair, all", "pyiceberg, pair, all", "pair, all"),
    )
    for what, name, other in ratios:
        if name in median:
            write(f"{what:40} {median[name] / median[other]:5.2f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changes", dest="number", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sys.exit(main(Load(options.rows, options.number, options.rounds)))
