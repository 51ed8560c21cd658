"""``make demo``: from nothing to released gold, and then serving."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from headwater.adapters.embedded.airflow_environment import LOGINS
from headwater.cli.awaiting import open_airflow
from headwater.cli.demo import landing, report, source_database, story
from headwater.cli.demo.proof import prove
from headwater.cli.demo.running import PRODUCT, SOURCES, first_runs, follow, follow_product, wait_until_known
from headwater.cli.demo.warm_spark import warm_spark
from headwater.cli.doctor import examine
from headwater.cli.opening import embedded_stack
from headwater.cli.output import console, print_table
from headwater.domain.errors import StackError

if TYPE_CHECKING:
    from headwater.adapters.embedded.stack import EmbeddedStack
    from headwater.adapters.platform import LocalPlatform


def serve(*, leave_when_done: bool) -> bool:
    """Start everything, bring the source to gold, show it; then serve until Ctrl-C.

    :param leave_when_done: end instead of serving.
    :returns: whether gold was released with the numbers that SQL over the source gives.
    """
    from headwater.adapters.embedded.jars import ensure_jars, jars_for
    from headwater.adapters.platform import open_platform
    from headwater.adapters.run_store import migrate

    started = time.monotonic()
    _check_the_machine()
    say = _Sayer(started)
    say("fetching jars")
    ensure_jars(jars=jars_for(""))  # its warehouse is a folder
    with ExitStack() as parts, _ended_by_signals():
        say("starting Postgres")
        stack = parts.enter_context(embedded_stack())
        if stack.is_serving():
            remedy = "Use that one, or stop it with Ctrl-C or `make demo-stop` first."
            raise StackError(f"A demo is being served already at {stack.airflow_url}.", remedy=remedy)
        story.write_chapter(stack.home, story.read_chapter(stack.home))
        migrate(stack.settings().run_store.get_secret_value())
        parts.enter_context(warm_spark(stack.settings()))
        say("loading the source")
        prepare_source(stack)
        parts.enter_context(stack.serve(say))
        platform = open_platform(stack.settings())
        good = _first_chapter(stack, platform, say)
        say(f"done in {time.monotonic() - started:.0f} s")
        _print_doors(stack)
        if not leave_when_done:
            console().print("Serving until Ctrl-C.")
            threading.Event().wait()
    return good


def prepare_source(stack: EmbeddedStack) -> None:
    """Load the source where it is empty, land the weather, and name both in the connections file."""
    chapter = story.read_chapter(stack.home)
    with psycopg.connect(stack.postgres.url("source"), autocommit=True) as connection:
        if not source_database.is_loaded(connection):
            source_database.load_first_month(connection)
        password = source_database.admit_reader(connection)
    landing.land_months(landing_folder(stack), range(1, chapter.month + 1))
    stack.write_connections(
        {
            "flights_db": f"postgres://{source_database.READER}:{password}@127.0.0.1:{stack.postgres.port}/source",
            "weather_landing": f"headwater-landing://?path={quote(str(landing_folder(stack)), safe='')}",
        }
    )


def landing_folder(stack: EmbeddedStack) -> Path:
    """Where the weather arrives."""
    return stack.home / "landing" / "weather"


def _first_chapter(stack: EmbeddedStack, platform: LocalPlatform, say: _Sayer) -> bool:
    api = open_airflow(platform.settings.airflow)
    try:
        say("waiting for the DAGs")
        wait_until_known(api, [*SOURCES, PRODUCT])
        begun = datetime.now(UTC)
        say("runs started by the scheduler")
        ended = follow(api, first_runs(api), console())
        product = follow_product(api, begun, console())
        runs = [*ended, *([product] if product else [])]
        spent = report.seconds_by_layer(api, runs)
    finally:
        api.close()
    report.print_layers(platform, spent)
    report.print_lineage(platform)
    red = [run for run in runs if run.state != "success"]
    for run in red:
        console().print(f"[red]{run.dag_id}: {run.run_id} ended as {run.state}; see `headwater incidents`[/red]")
    if red:
        return False
    with psycopg.connect(stack.postgres.url("source"), autocommit=True) as connection:
        return report.print_proofs(prove(platform, connection, landing_folder(stack)))


def _check_the_machine() -> None:
    wrong = [item for item in examine() if not item.fine]
    if wrong:
        print_table("This machine", ["check", "found", "fix"], [(i.what, i.found, i.fix) for i in wrong])
        raise StackError(f"{len(wrong)} things are missing on this machine; each is named above with its fix.")


def _print_doors(stack: EmbeddedStack) -> None:
    logins = ", ".join(f"{user}/{password}" for user, password in LOGINS.items())
    out = console()
    out.print(f"\nAirflow   {stack.airflow_url}   logins {logins}", highlight=False, soft_wrap=True)
    out.print(f"mailbox   {stack.mailbox}", highlight=False, soft_wrap=True)
    out.print(f"query     {report.QUERY}", highlight=False, soft_wrap=True, markup=False)
    out.print("go on     make demo-next, make demo-break, make demo-fix\n", highlight=False)


class _Sayer:
    """Says what is being done, with the seconds since the beginning."""

    def __init__(self, started: float) -> None:
        self._started = started

    def __call__(self, what: str) -> None:
        console().print(f"[dim]{time.monotonic() - self._started:5.1f} s[/dim]  {what}", highlight=False)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does, so that everything is stopped in order; nohup is respected."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    heeded = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
