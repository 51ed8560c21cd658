"""``make demo-fix``: the alert's own steps, executed as they stand."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import psycopg

from headwater.cli.demo import story
from headwater.cli.demo.acts import Stage, on_stage
from headwater.cli.output import console, print_table
from headwater.domain.errors import NotFoundError, StackError
from headwater.domain.incident import Incident, Step

_SHOWN_ROWS = 5


def play_fix(choice: str) -> None:
    """Execute the newest held incident's steps of one choice; ends when the incident is closed.

    :raises NotFoundError: when nothing is broken.
    :raises StackError: when a step fails or the incident stays open.
    """
    with on_stage() as stage:
        open_ones = stage.platform.incidents.list(status="open", pipeline="flights")
        incident = next((item for item in open_ones if item.kind == "held"), None)
        if incident is None:
            raise NotFoundError("Nothing of flights is held.", remedy="Run `make demo-break` first.")
        console().rule(f"incident {incident.id}: {incident.title}", align="left")
        for number, step in enumerate(incident.steps, 1):
            if step.choice in {None, choice}:
                _do(stage, number, step)
        _demand_closed(stage, incident)


def _do(stage: Stage, number: int, step: Step) -> None:
    console().print(f"\nStep {number}. {step.text}", markup=False, highlight=False, soft_wrap=True)
    if step.command is not None:
        console().print(f"$ {step.command}", markup=False, highlight=False, soft_wrap=True)
        # a step is a line for a shell, and it is ours: the runbook's, with its values quoted
        done = subprocess.run(["/bin/bash", "-c", step.command], cwd=stage.stack.repository, check=False)
        if done.returncode != 0:
            raise StackError(f"Step {number} ended with {done.returncode}.", got=step.command)
    if step.sql is not None:
        _show_and_correct(stage, step.sql)


def _show_and_correct(stage: Stage, selection: str) -> None:
    """The demo is the source's owner here: it reads the offending rows and corrects exactly these."""
    console().print(selection, markup=False, highlight=False, soft_wrap=True)
    with stage.source.cursor() as cursor:
        cursor.execute(selection.encode())
        names = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall()
    shown = [name for name in ("origin", "time_hour", "carrier", "flight", "distance") if name in names]
    lines = [[row[names.index(name)] for name in shown] for row in rows[:_SHOWN_ROWS]]
    print_table(f"{len(rows)} offending rows, the first {len(lines)}", shown, lines)
    keys = [tuple(row[names.index(name)] for name in ("origin", "time_hour", "carrier", "flight")) for row in rows]
    print_table("", ["corrected at the source"], [[f"{_correct(stage.source, stage, keys)} rows"]])


def _correct(source: psycopg.Connection, stage: Stage, keys: list[tuple[object, ...]]) -> int:
    written = story.read_chapter(stage.stack.home).clock - timedelta(minutes=30)
    statement = """UPDATE flights SET distance = abs(distance), updated_at = %s
                   WHERE origin = %s AND time_hour = %s AND carrier = %s AND flight = %s"""
    with source.transaction(), source.cursor() as cursor:
        cursor.executemany(statement, [(written, *key) for key in keys])
        return cursor.rowcount


def _demand_closed(stage: Stage, incident: Incident) -> None:
    now = stage.platform.incidents.get(incident.id)
    if now is None or now.status != "closed":
        raise StackError(f"Incident {incident.id} is still open.", remedy="`headwater incidents`")
    console().print(f"\nIncident {incident.id} is closed: {now.closed_why}", markup=False, highlight=False)
