"""Connections from the environment and from one file, in the very forms Airflow reads."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from headwater.adapters.connections.parsing import parse_connection
from headwater.domain.errors import ConnectionMalformedError, ConnectionMissingError, HeadwaterError
from headwater.ports.connections import ConnectionInfo

PREFIX = "AIRFLOW_CONN_"
_COMMENT = re.compile(r"\s*#.*")


class EnvironmentConnections:
    """Looks in ``AIRFLOW_CONN_<ID>``, then in ``file``: ``ID=URI`` or ``ID=JSON`` lines, ``#`` starts a comment.

    The file has the form of Airflow's local filesystem secrets backend (``.env``), so both may read the same one.

    :param environment: default: the process's own, looked at when a connection is resolved.
    """

    def __init__(self, file: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._file = file
        self._environment = os.environ if environment is None else environment

    def resolve(self, connection_id: str) -> ConnectionInfo:
        """The connection of that id.

        :raises ConnectionMissingError: naming every place that was searched and the command that creates it.
        :raises ConnectionMalformedError: when what is there is no connection; its text is never quoted.
        """
        variable = f"{PREFIX}{connection_id.upper()}"
        if text := self._environment.get(variable):
            return _parse(connection_id, text, variable)
        if self._file is not None and self._file.is_file():
            lines = _lines_of(self._file, connection_id)
            if len(lines) > 1:
                numbers = ", ".join(str(number) for number, _ in lines)
                raise _malformed(
                    connection_id, str(self._file), f"it is defined {len(lines)} times, in lines {numbers}"
                )
            if lines:
                number, text = lines[0]
                return _parse(connection_id, text, f"{self._file}:{number}")
        raise self._missing(connection_id, variable)

    def _missing(self, connection_id: str, variable: str) -> HeadwaterError:
        places = [f"variable {variable}"]
        create = f"export {variable}='postgres://<login>:<password>@<host>:5432/<database>'"
        if self._file is not None:
            places.append(f"file {self._file}" + ("" if self._file.is_file() else " (does not exist)"))
            create = f"echo '{connection_id}=postgres://<login>:<password>@<host>:5432/<database>' >> {self._file}"
        return ConnectionMissingError(
            f"there is no connection {connection_id!r}",
            got="nothing in " + " and ".join(places),
            allowed="a connection URI or JSON object, percent-encoded as Airflow does",
            remedy=f"Create it: {create}",
            facts={"connection": connection_id, "searched": "; ".join(places), "command": create},
        )


def _lines_of(file: Path, connection_id: str) -> list[tuple[int, str]]:
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line or _COMMENT.match(line):
            continue
        name, equals, text = line.partition("=")
        if not (name and equals and text):
            raise _malformed(connection_id, f"{file}:{number}", "a line is `ID=URI` or `ID=JSON`")
        if name == connection_id:
            found.append((number, text))
    return found


def _parse(connection_id: str, text: str, place: str) -> ConnectionInfo:
    try:
        return parse_connection(connection_id, text)
    except ValueError as error:
        reason = str(error)
    # outside the except block: a parser's own error quotes the text, and with it the password
    raise _malformed(connection_id, place, reason)


def _malformed(connection_id: str, place: str, reason: str) -> ConnectionMalformedError:
    return ConnectionMalformedError(
        f"connection {connection_id!r} cannot be read from {place}: {reason}",
        allowed="postgres://login:password@host:5432/database?sslmode=require, each part percent-encoded, "
        'or {"conn_type": "postgres", "host": "…", …}',
        remedy="Percent-encode special characters: `@` is %40, `:` is %3A, `/` is %2F, `%` is %25.",
        facts={"connection": connection_id, "searched": place},
    )
