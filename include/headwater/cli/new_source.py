"""``new-source``: the files of a source, from what its connection offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.opening import git_address, opened_platform, repository
from headwater.cli.output import console
from headwater.domain.errors import SourceTableMissingError
from headwater.domain.spec import Owner

if TYPE_CHECKING:
    from headwater.ports.extractor import SourceRelation


def new_source(
    name: Annotated[str, typer.Argument(help="Name of the source: the YAML's stem, and the DAG.")],
    connection: Annotated[str, typer.Option(help="Connection id to read.")],
    schema: Annotated[
        str | None, typer.Option(help="Only relations of this schema; else public, or the connection's database.")
    ] = None,
    table: Annotated[list[str] | None, typer.Option(help="Only this table; may be repeated.")] = None,
    email: Annotated[str | None, typer.Option(help="Where alerts go; else the user.email of Git.")] = None,
    owner: Annotated[str, typer.Option(help="Team that owns the source.")] = "data-platform",
) -> None:
    """Write YAML, contracts and fixtures for what a connection offers; they pass `headwater validate` at once."""
    from headwater.cli.scaffold import write_source

    found, schema = _offered(connection, schema)
    offered = [item for item in found if item.relation.partition(".")[0] == schema]
    chosen = [item for item in offered if not table or item.relation.partition(".")[2] in table]
    if not chosen:
        allowed = ", ".join(item.relation for item in offered) or f"nothing: schema {schema} has no relation"
        got = ", ".join(f"{schema}.{item}" for item in table or ["*"])
        raise SourceTableMissingError("The connection offers no such table.", got=got, allowed=allowed)
    address = email or git_address()
    made = write_source(repository(), name, connection, Owner(team=owner, email=(address,) if address else ()), chosen)
    for path in made.files:
        console().print(f"wrote {path}", soft_wrap=True, highlight=False)
    for note in made.notes:
        console().print(f"note: {note}", soft_wrap=True, markup=False, highlight=False)
    told = (
        f"Alerts go to {address}."
        if address
        else "Nobody gets mail of it: name an address under `owner: {email: […]}`."
    )
    console().print(f"{told} Next: headwater validate", markup=False)


def _offered(connection: str, schema: str | None) -> tuple[tuple[SourceRelation, ...], str]:
    """What the connection offers, and the schema that is asked for."""
    from headwater.adapters.sources.opening import open_extractor
    from headwater.adapters.sources.usual import usual_schema
    from headwater.cli.scaffold import probe_table

    with opened_platform() as platform:
        info = platform.connections.resolve(connection)
        usual = usual_schema(info)
        extractor = open_extractor(probe_table(info), info)
        try:
            return extractor.list_relations(), schema or usual
        finally:
            extractor.close()
