"""``headwater connections``: those of the embedded stack, in the file Airflow reads, too."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from headwater.cli.opening import embedded_stack, opened_platform, repository
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.errors import HeadwaterError, RequestError
from headwater.ports.connections import Connections

app = typer.Typer(no_args_is_help=True)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}")


@app.command("set")
def set_connection(
    name: Annotated[str, typer.Argument(help="Connection id, as the YAML names it.")],
    uri: Annotated[
        str,
        typer.Option(
            prompt="URI (postgres://login:password@host:5432/database)", hide_input=True, envvar="HEADWATER_URI"
        ),
    ],
) -> None:
    """Keep a connection. The URI is asked for, or taken from HEADWATER_URI: on the command line others would see it."""
    from headwater.adapters.connections.parsing import parse_connection

    if _ID.fullmatch(name) is None or "\n" in uri:
        raise RequestError("This is no connection id.", got=repr(name), allowed=_ID.pattern)
    parse_connection(name, uri)
    stack = embedded_stack()
    stack.home.mkdir(parents=True, exist_ok=True)
    stack.write_connections({name: uri})
    console().print(f"kept {name} in {stack.connections_file}")


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
def check(as_json: Json = False) -> None:
    """Open the connection of every source; 1 when one does not answer."""
    from headwater.model.repository import load_repository

    answers: dict[str, str] = {}
    with opened_platform() as platform:
        for spec in load_repository(repository()).sources:
            try:
                extractor = platform.open_extractor(spec.tables[0], spec.connection)
                try:
                    extractor.inspect(spec.tables[0])
                finally:
                    extractor.close()
                answers[spec.connection] = "answers"
            except HeadwaterError as error:
                answers[spec.connection] = error.message
    if as_json:
        print_json(answers)
    else:
        print_table("Connections", ["id", ""], list(answers.items()), "No source names a connection.")
    if any(answer != "answers" for answer in answers.values()):
        raise typer.Exit(1)


def _ids() -> list[str]:
    file = embedded_stack().connections_file
    if not file.exists():
        return []
    return [line.partition("=")[0] for line in file.read_text().splitlines() if "=" in line and line[0] != "#"]


def _describe(known: Connections, name: str) -> dict[str, str]:
    info = known.resolve(name)
    return {"id": name, "kind": info.kind, "host": info.host, "login": info.login, "database": info.schema_}
