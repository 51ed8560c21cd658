"""``headwater demo …``: what the make targets run."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import typer

from headwater.cli.opening import embedded_stack
from headwater.cli.output import console

app = typer.Typer(no_args_is_help=True)


@app.command()
def serve() -> None:
    """Start everything, bring real flights to gold, and serve until Ctrl-C (DEMO_EXIT=1: end when done)."""
    from headwater.cli.demo.serving import serve as serve_demo

    leave = os.environ.get("DEMO_EXIT", "") not in {"", "0"}
    try:
        good = serve_demo(leave_when_done=leave)
    except KeyboardInterrupt:
        console().print("Stopped; no process is left.")
        return
    console().print("Stopped; no process is left.")
    if not good:
        raise typer.Exit(1)


@app.command("next")
def next_month() -> None:
    """Advance the source by a month and run again."""
    from headwater.cli.demo.acts import play_next

    play_next()


@app.command("break")
def break_contract() -> None:
    """Feed a batch that breaks a contract, and show the alert."""
    from headwater.cli.demo.acts import play_break

    play_break()


@app.command()
def fix(
    choice: Annotated[Literal["A", "B", "C"], typer.Option(help="Which way of the alert's steps to go.")] = "A",
) -> None:
    """Do what the alert's steps say, literally, until the run is green."""
    from headwater.cli.demo.fixing import play_fix

    play_fix(choice)


@app.command()
def stop() -> None:
    """Stop a demo that is serving, and wait until no process is left."""
    stack = embedded_stack()
    if not stack.stop_serving():
        console().print("No demo is serving.")
        return
    console().print("Stopped; no process is left.")


@app.command()
def push() -> None:
    """Deploy by Git: push a source, a change while it runs, a mistake, and a bundle for another version."""
    from headwater.cli.demo.pushing import play_push

    play_push()
