"""``test-source``: the unit tests of a pipeline's transforms, on the Spark its runs use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from headwater.cli.opening import opened_platform
from headwater.cli.output import Json, console, print_json
from headwater.domain.errors import NotFoundError

if TYPE_CHECKING:
    from headwater.domain.differences import RowDifference
    from headwater.domain.job import TableResult
    from headwater.domain.names import TableName

_NULL = "NULL"


def register(app: typer.Typer) -> None:
    app.command("test-source")(check_transforms)


def check_transforms(
    source: Annotated[str, typer.Argument(help="Source or product.")],
    table: Annotated[list[str] | None, typer.Option("--table", help="Only this table; may be given again.")] = None,
    as_json: Json = False,
) -> None:
    """Run the fixtures of a pipeline's transforms, changed or not; 1 when one is red. Reads no source."""
    from headwater.services.stages.preflight import run_fixtures

    with opened_platform() as platform:
        spec = platform.model.load(source)
        tables = _chosen(tuple(platform.model.preflight_hashes(spec)), table or [])
        tests = platform.model.preflight_tables(spec, tables)
        results = run_fixtures(platform, spec.name, f"local/{spec.name}/test-source", tests) if tests else ()
    counts = {item.table: len(item.fixtures) for item in tests}
    if as_json:
        print_json({"pipeline": source, "tables": [_object(result, counts[result.table]) for result in results]})
    else:
        print_results(results, counts)
    if len(results) != len(tests) or any(result.status != "green" for result in results):
        raise typer.Exit(1)


def _chosen(known: tuple[TableName, ...], asked: list[str]) -> tuple[TableName, ...]:
    """The tables named by their own or their dotted name. :raises NotFoundError: for a table without fixtures."""
    for name in asked:
        if not any(name in {table.table, table.dotted} for table in known):
            allowed = ", ".join(table.dotted for table in known)
            raise NotFoundError("There is no fixture of this table.", got=name, allowed=allowed)
    return tuple(table for table in known if not asked or table.table in asked or table.dotted in asked)


def print_results(results: tuple[TableResult, ...], tests: dict[TableName, int]) -> None:
    """One line per table; below a red one every row that differs, expected above made."""
    out = console()
    for result in results:
        mark = Text("green  ", "green") if result.status == "green" else Text(f"{result.status:<7}", "bold red")
        count = tests[result.table]
        told = f"{count} test{'' if count == 1 else 's'}, {result.seconds:.1f} s"
        out.print(mark + Text(f"{result.table.dotted}  {told}", ""))
        if result.status == "failed":
            out.print(Text(result.told, "red"))
        for difference in result.row_differences:
            # not as the title of the table, which would be wrapped to its width
            out.print(Text(place_of(difference), "bold"), soft_wrap=True)
            out.print(difference_table(difference))
        hidden = int(result.facts.get("count", "0")) - len(result.row_differences)
        if result.status == "red" and hidden > 0:
            out.print(f"… and {hidden} more rows")
    if not results:
        out.print("There is no transform to test.")


def place_of(difference: RowDifference) -> str:
    """File, line and name of the test."""
    place = difference.file if difference.line is None else f"{difference.file}:{difference.line}"
    return f"{place}: {difference.test}"


def difference_table(difference: RowDifference) -> Table:
    """The expected row above the row made; values that differ stand out."""
    shown = Table(header_style="bold")
    names = list(difference.expected or difference.made or {})
    shown.add_column("")
    for name in names:
        shown.add_column(Text(name), overflow="fold")
    for word, row, colour in (("expected", difference.expected, "green"), ("made", difference.made, "red")):
        if row is not None:
            alone = difference.expected is None or difference.made is None
            cells = [_cell(row[name], colour if alone or name in difference.columns else "") for name in names]
            shown.add_row(Text(word, colour), *cells)
    return shown


def _cell(value: str | None, style: str) -> Text:
    return Text(_NULL if value is None else value, f"bold {style}" if style else "dim" if value is None else "")


def _object(result: TableResult, tests: int) -> dict[str, object]:
    return {
        "table": result.table.dotted,
        "status": result.status,
        "tests": tests,
        "seconds": result.seconds,
        "error": result.told or None,
        "differences": [item.model_dump(mode="json") for item in result.row_differences],
    }
