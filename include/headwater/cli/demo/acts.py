"""``make demo-next`` and ``make demo-break``: the source changes while the demo serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from headwater.adapters.embedded.stack import EmbeddedStack
from headwater.adapters.platform import LocalPlatform, open_platform
from headwater.cli.awaiting import demand_green, open_airflow, start_run
from headwater.cli.demo import alerts, landing, report, source_database, story
from headwater.cli.demo.proof import prove
from headwater.cli.demo.running import SOURCES, follow, follow_product
from headwater.cli.demo.serving import landing_folder
from headwater.cli.opening import embedded_stack
from headwater.cli.output import console, print_table
from headwater.domain.errors import RequestError, StackError
from headwater.ports.airflow_api import AirflowApi

GOLD_SQL = "SELECT count(*) AS days, sum(flights)::BIGINT AS flights FROM gold.flights.daily_departures"


@dataclass(frozen=True)
class Stage:
    """A demo that is serving, with what its acts need."""

    stack: EmbeddedStack
    platform: LocalPlatform
    api: AirflowApi
    source: psycopg.Connection


@contextmanager
def on_stage() -> Iterator[Stage]:
    """The demo that is serving. :raises StackError: when none is."""
    stack = embedded_stack()
    if not stack.is_serving():
        raise StackError("No demo is serving.", remedy="Run `make demo` in another terminal first.")
    with stack, psycopg.connect(stack.postgres.url("source"), autocommit=True) as source:
        platform = open_platform(stack.settings())
        api = open_airflow(platform.settings.airflow)
        try:
            yield Stage(stack, platform, api, source)
        finally:
            api.close()


def play_next() -> None:
    """A month passes.

    :raises RunNotGreenError: when a run does not end green.
    :raises RequestError: when the data ends.
    """
    with on_stage() as stage:
        try:
            before = story.read_chapter(stage.stack.home)
            chapter = before.next
        except ValueError as error:
            raise RequestError(str(error)) from None
        month = range(chapter.month, chapter.month + 1)
        changed = {"flights of the month": source_database.add_months(stage.source, month, before.clock)}
        changed |= source_database.change(stage.source, story.late_changes(chapter))
        files, rows = landing.land_months(landing_folder(stage.stack), month)
        story.write_chapter(stage.stack.home, chapter)
        _print_changes(chapter, changed | {f"weather observations in {files} files": rows})
        begun = datetime.now(UTC)
        started = [start_run(stage.api, name, {"reason": f"month {chapter.month}"}) for name in SOURCES]
        ended = follow(stage.api, started, console())
        product = follow_product(stage.api, begun, console())
        runs = [*ended, *([product] if product else [])]
        report.print_layers(stage.platform, report.seconds_by_layer(stage.api, runs))
        for run in runs:
            demand_green(run)
        _print_history(stage)
        if not report.print_proofs(prove(stage.platform, stage.source, landing_folder(stage.stack))):
            raise StackError("What was released is not what the source says; see the table above.")


def play_break() -> None:
    """A faulty batch arrives. :raises StackError: when its run does not end red, or no alert arrives."""
    with on_stage() as stage:
        chapter = story.read_chapter(stage.stack.home).next_day
        before, gold = alerts.arrived(stage.stack.mailbox), _gold(stage)
        changed = source_database.change(stage.source, story.broken_batch(chapter))
        story.write_chapter(stage.stack.home, chapter)
        _print_changes(chapter, changed)
        [run] = follow(stage.api, [start_run(stage.api, "flights", {"reason": "demo-break"})], console())
        if run.state == "success":
            raise StackError("The broken batch was published: the gate did not close.")
        _print_alert(stage, before)
        print_table("Readers go on seeing the old gold", ["", "days", "flights"],
                    [("before", *gold), ("now", *_gold(stage))])  # fmt: skip
        if _gold(stage) != gold:
            raise StackError("Gold changed although its input was held.")
        console().print("Now: make demo-fix")


def _print_alert(stage: Stage, before: set[Path]) -> None:
    from headwater.services.incidents.sending import send_due

    send_due(stage.platform.incidents, stage.platform.notifiers, stage.platform.clock)
    if not alerts.print_new_alerts(stage.stack.mailbox, before):
        raise StackError("No alert arrived.", remedy="`headwater incidents`, `headwater watchdog`")


def _gold(stage: Stage) -> tuple[object, ...]:
    from headwater.adapters.duckdb.query import query

    return query(GOLD_SQL, list(stage.platform.runs.current()), stage.platform.settings.catalog.warehouse).rows[0]


def _print_changes(chapter: story.Chapter, changed: dict[str, int]) -> None:
    print_table(f"At the source, as of {chapter.clock:%Y-%m-%d %H:%M} UTC", ["what", "rows"], list(changed.items()))


def _print_history(stage: Stage) -> None:
    from headwater.adapters.duckdb.query import query

    sql = """
        SELECT 'plane ' || tailnum AS what, engine || ', ' || seats || ' seats' AS value,
               valid_from, valid_to, is_current
        FROM silver.flights.planes WHERE tailnum IN (SELECT tailnum FROM silver.flights.planes WHERE NOT is_current)
        UNION ALL
        SELECT 'airport ' || faa, name, valid_from, valid_to, is_current
        FROM silver.flights.airports WHERE faa NOT IN (SELECT faa FROM silver.flights.airports WHERE is_current)
        ORDER BY what, valid_from"""
    found = query(sql, list(stage.platform.runs.current()), stage.platform.settings.catalog.warehouse)
    print_table("History kept", found.columns, found.rows, is_data=True)
