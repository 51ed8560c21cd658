"""``headwater``: the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import typer
from typer.core import TyperGroup

from headwater.cli import (
    checking,
    connections,
    impact,
    listing,
    maintaining,
    monitoring,
    offloading,
    operating,
    reading,
    rebuilding,
    reconciling,
    recovering,
    testing,
    upkeep,
    validating,
)
from headwater.cli.demo import commands as demo
from headwater.cli.output import answering_once
from headwater.domain.errors import HeadwaterError


class ExplainingGroup(TyperGroup):
    """Prints what Headwater can explain as its text, and ends with 1; wrong usage ends with 2.

    Where a program asked for JSON, stdout holds one document then, too: what the command printed before it failed, or
    an object with the key ``error``.
    """

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        with _answering(args):
            return super().make_context(info_name, args, *rest, **extra)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _answering(ctx.args):  # the command takes them from here
                return super().invoke(ctx)
        except HeadwaterError as error:
            typer.echo(str(error), err=True)
            sys.exit(1)


def _answering(args: Sequence[str]) -> AbstractContextManager[None]:
    return answering_once() if "--json" in args else nullcontext()


app = typer.Typer(
    cls=ExplainingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One YAML file per source becomes an Airflow DAG that carries its data to audited Iceberg tables.",
)
validating.register(app)
checking.register(app)
testing.register(app)
listing.register(app)
reading.register(app)
impact.register(app)
operating.register(app)
rebuilding.register(app)
reconciling.register(app)
offloading.register(app)
maintaining.register(app)
monitoring.register(app)
recovering.register(app)
upkeep.register(app)
app.add_typer(connections.app, name="connections", help="Connections of the embedded stack.")
app.add_typer(demo.app, name="demo", help="What `make demo` and its companions run.")
