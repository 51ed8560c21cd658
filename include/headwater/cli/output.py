"""How commands answer: rich tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from headwater.domain.errors import HeadwaterError, Location

WIDTH_OF_A_FILE = 140
LARGEST_NUMBER = 2**31 - 1
"""Of what a person may ask for by number: the run store counts so far."""
_ANSWERED = ContextVar("answered", default=False)
"""Whether this command has printed its JSON document."""
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def console() -> Console:
    """The terminal; made anew each time, so that it follows a redirected stdout."""
    plain = Console(soft_wrap=False)
    # a file or a pipe has no width; eighty columns would break every table name
    return plain if plain.is_terminal else Console(soft_wrap=False, width=WIDTH_OF_A_FILE)


def print_json(value: object) -> None:
    """One JSON document on stdout; times in ISO form, bytes as hex, other values as text, and so NaN and infinities."""
    typer.echo(json.dumps(_told(value), indent=2, default=_plain, ensure_ascii=False, allow_nan=False))
    _ANSWERED.set(True)


@contextmanager
def answering_once() -> Iterator[None]:
    """A command at work: a failure is its JSON document, unless it has printed one before it failed.

    Wrong usage is one, too, of code ``usage``.
    """
    _ANSWERED.set(False)
    try:
        yield
    except typer.TyperException as error:
        remedy = "Ask the command for its arguments and options with --help."
        told = error_object(HeadwaterError(error.format_message(), remedy=remedy))
        if not _ANSWERED.get():
            print_json({"error": told | {"code": "usage"}})
        raise
    except HeadwaterError as error:
        if not _ANSWERED.get():
            print_json({"error": error_object(error)})
        raise


def error_object(error: HeadwaterError) -> dict[str, object]:
    """An explained failure for programs."""
    where = error.where or Location("")
    return {
        "code": error.code,
        "message": error.message,
        "file": where.file or None,
        "line": where.line,
        "key": where.key,
        "got": error.got,
        "allowed": error.allowed,
        "remedy": error.remedy,
        "retry_helps": error.retry_helps,
    }


def _told(value: object) -> object:
    """The value with the numbers that JSON does not have as words."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {_name(name): _told(item) for name, item in value.items()}
    return [_told(item) for item in value] if isinstance(value, list | tuple) else value


def _name(key: object) -> str:
    """A key of a map as its value would be told."""
    told = _told(key)
    return told if isinstance(told, str) else json.dumps(told, default=_plain).strip('"')


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    empty: str = "",
    *,
    whole: Sequence[str] = (),
    is_data: bool = False,
) -> None:
    """A table for people; ``empty`` is said instead when it has no rows.

    :param whole: columns that stay on one line, because people copy them.
    :param is_data: the values are somebody's, not counts of ours: no commas, which would make 1,998 of a year.
    """
    if not rows and empty:
        console().print(empty)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float | None) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=name in whole)
    for row in rows:
        table.add_row(*(_cell(value, is_data=is_data) for value in row))
    console().print(table)


def _cell(value: object, *, is_data: bool) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, int) and not isinstance(value, bool) and not is_data:
        return f"{value:,}"
    return value.hex() if isinstance(value, bytes) else str(value)
