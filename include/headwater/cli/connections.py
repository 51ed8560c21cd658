"""``headwater connections``: those of the embedded stack, in the file Airflow reads, too."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.opening import embedded_stack, opened_platform, repository
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.errors import ConnectionMissingError, HeadwaterError, NotFoundError, RequestError
from headwater.domain.spec import TableSpec, connections_of
from headwater.ports.connections import Connections

app = typer.Typer(no_args_is_help=True)
ANSWERS = "answers"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}")


@app.command("set")
def set_connection(
    name: Annotated[str, typer.Argument(help="Connection id, as the YAML names it.")],
    uri: Annotated[str | None, typer.Option(envvar="HEADWATER_URI", hidden=True)] = None,
) -> None:
    """Keep a connection. The URI is asked for, or read from a pipe: on the command line others would see it."""
    from headwater.adapters.connections.parsing import parse_connection

    text = uri or _asked("URI (postgres://login:password@host:5432/database)")
    if _ID.fullmatch(name) is None or "\n" in text:
        raise RequestError("This is no connection id.", got=repr(name), allowed=_ID.pattern)
    try:
        parse_connection(name, text)
    except ValueError as error:
        raise RequestError("This is no connection.", got=str(error)) from None
    stack = embedded_stack()
    stack.home.mkdir(parents=True, exist_ok=True)
    stack.write_connections({name: text})
    console().print(f"kept {name} in {stack.connections_file}")


@app.command()
def password(name: Annotated[str, typer.Argument(help="Connection id, as the YAML names it.")]) -> None:
    """Give a kept connection a new password, which is asked for, or read from a pipe; nothing shows it."""
    from headwater.adapters.connections.file import read_connections, write_connections
    from headwater.adapters.connections.parsing import with_password

    with opened_platform() as platform:
        file = platform.settings.connections_file
    known = read_connections(Path(file)) if file else {}
    if file is None or name not in known:
        raise ConnectionMissingError(
            f"{name} is not kept here",
            got=f"{', '.join(sorted(known)) or 'nothing'} in {file or 'no file of connections'}",
            remedy="Change its password where it is kept: Airflow's page Admin > Connections, or the secrets backend.",
            facts={"connection": name},
        )
    text = with_password(name, known[name], _asked(f"new password of {name}"))
    write_connections(Path(file), {name: text})
    console().print(f"{name} has a new password; runs take it from now on")


@app.command("list")
def list_connections(as_json: Json = False) -> None:
    """Ids and kinds, never secrets."""
    with opened_platform() as platform:
        found = [_describe(platform.connections, name) for name in _ids()]
    if as_json:
        print_json(found)
        return
    rows = [tuple(item.values()) for item in found]
    print_table("Connections", ["id", "kind", "host", "login", "database"], rows, "There are no connections yet.")


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="Only this connection.")] = None, as_json: Json = False
) -> None:
    """Look at the connection of every source, or one; 1 when one fails. `check-connection` shows all parts of one."""
    from headwater.model.repository import load_repository

    read: dict[str, list[TableSpec]] = {}
    for spec in load_repository(repository()).sources:
        for table in spec.tables:
            for found in connections_of(spec, table):
                read.setdefault(found, []).append(table)
    if name is not None and name not in read:
        raise NotFoundError(f"No source names the connection {name}.", remedy="`headwater connections list`")
    with opened_platform() as platform:
        asked = {found: tables for found, tables in read.items() if name in {None, found}}
        answers = {found: _answer(platform.connections, found, tables) for found, tables in asked.items()}
    if as_json:
        print_json(answers)
    else:
        print_table("Connections", ["id", ""], list(answers.items()), "No source names a connection.")
    if any(answer != ANSWERS for answer in answers.values()):
        raise typer.Exit(1)


def _asked(what: str) -> str:
    """A secret: asked for without showing it at a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise RequestError(f"There is no {what} on standard input.", remedy="Type it at a terminal, or pipe it in.")
    return line


def _ids() -> list[str]:
    from headwater.adapters.connections.file import read_connections

    return list(read_connections(embedded_stack().connections_file))


def _answer(known: Connections, name: str, tables: Sequence[TableSpec]) -> str:
    """``answers``, or the part of the connection that fails, with what was found and what to do."""
    from headwater.adapters.sources.checking import check_connection

    try:
        probes = check_connection(known.resolve(name), tables)
    except HeadwaterError as error:
        return error.message + (f": {error.got}" if error.got else "")
    failing = next((probe for probe in probes if not probe.fine), None)
    return ANSWERS if failing is None else f"{failing.part}: {failing.found}. {failing.fix}"


def _describe(known: Connections, name: str) -> dict[str, str]:
    info = known.resolve(name)
    return {"id": name, "kind": info.kind, "host": info.host, "login": info.login, "database": info.schema_}
