"""``headwater.state`` in a table's properties; above 4 KiB in a file beside its metadata (rules 17, 29)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from headwater.domain.errors import StagingError
from headwater.domain.names import TableName
from headwater.domain.staging import TableState

if TYPE_CHECKING:
    from pyiceberg.table import Table

MOST_BYTES = 4096
_FILE, _SHA256 = "file", "sha256"


def written_state(table: Table, state: TableState) -> str:
    """The property's value: the state itself, or the file it lies in with the hash of that file.

    The file is written before the commit that names it, under the name of its content: a publisher that tries again
    writes the same one. Only a gold table of many inputs has so much to remember.
    """
    text = state.model_dump_json()
    content = text.encode()
    if len(content) <= MOST_BYTES:
        return text
    digest = hashlib.sha256(content).hexdigest()
    path = f"{table.location()}/metadata/state-{digest}.json"
    with table.io.new_output(path).create(overwrite=True) as stream:
        stream.write(content)
    return json.dumps({_FILE: path, _SHA256: digest})


def read_state(name: TableName, table: Table, value: str) -> TableState:
    """The state behind a property's value.

    :raises StagingError: when the file is not the one that was published: on it hangs what was read so far.
    """
    document = json.loads(value)
    if _FILE not in document:
        return TableState.model_validate(document)
    path, expected = document[_FILE], document[_SHA256]
    with table.io.new_input(path).open() as stream:
        content = stream.read()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise StagingError(
            f"the state of {name} is not the one that was published",
            got=f"sha256 {found}",
            allowed=f"sha256 {expected}",
            remedy=f"Restore {path} from a backup of the warehouse.",
            facts={"table": name.dotted},
        )
    return TableState.model_validate_json(content)
