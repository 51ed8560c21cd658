"""``doctor``, ``migrate``, ``watchdog``, ``new-source``, ``evolve``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from headwater.cli.evolving import evolve
from headwater.cli.new_source import new_source
from headwater.cli.opening import opened_platform
from headwater.cli.output import Json, console, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headwater.ports.notifier import Notifier


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command()(migrate)
    app.command()(watchdog)
    app.command("new-source")(new_source)
    app.command()(evolve)


def doctor(as_json: Json = False) -> None:
    """Check this machine in three seconds: each finding with its fix; 1 when something is missing."""
    from headwater.cli.doctor import examine

    found = examine()
    if as_json:
        print_json([item.model_dump() for item in found])
    else:
        rows = [("✓" if item.fine else "✗", item.what, item.found, "" if item.fine else item.fix) for item in found]
        print_table("This machine", ["", "check", "found", "fix"], rows)
    if not all(item.fine for item in found):
        raise typer.Exit(1)


def migrate() -> None:
    """Bring the run store's database up to date."""
    from headwater.adapters.run_store import migrate as migrate_store

    with opened_platform() as platform:
        migrate_store(platform.settings.run_store.get_secret_value())
    console().print("The run store is up to date.")


def watchdog(as_json: Json = False) -> None:
    """One pass of the watchdog from outside Airflow: find what nobody told, judge freshness, send what waits."""
    from headwater.cli.awaiting import open_airflow
    from headwater.services.incidents.watchdog import run_watchdog

    with opened_platform() as platform:
        api = open_airflow(platform.settings.airflow) if platform.settings.airflow.base_url else None
        try:
            report = run_watchdog(platform.desk(), api, _quiet(platform.notifiers) if as_json else platform.notifiers)
        finally:
            if api is not None:
                api.close()
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    rows = [(name.replace("_", " "), str(value)) for name, value in report.model_dump().items()]
    print_table("Watchdog", ["", ""], rows)


def _quiet(notifiers: Mapping[str, Notifier]) -> dict[str, Notifier]:
    """The channels, with the console on stderr: stdout is one JSON document."""
    from headwater.adapters.notifiers.console import ConsoleNotifier

    aside = {"console": ConsoleNotifier(lambda: sys.stderr)} if "console" in notifiers else {}
    return {**notifiers, **aside}
