"""The ledger of files read, which lies beside a table's metadata and is named by its state (rule 29)."""

from __future__ import annotations

import hashlib

from headwater.domain.errors import StagingError
from headwater.domain.staging import TableState
from headwater.ports.catalog import Catalog


def read_ledger(catalog: Catalog, state: TableState | None) -> bytes | None:
    """The ledger's bytes; None for a table that has none.

    :raises StagingError: when they are not those that were written: with another ledger files would be taken twice,
        or never.
    """
    if state is None or state.ledger is None:
        return None
    content = catalog.read_attachment(state.ledger)
    found = hashlib.sha256(content).hexdigest()
    if found != state.ledger_sha256:
        raise StagingError(
            "the ledger of files read is not the one that was published",
            got=f"sha256 {found}",
            allowed=f"sha256 {state.ledger_sha256}",
            remedy=f"Restore {state.ledger} from a backup, or roll back to a release that has a sound one.",
            facts={"ledger": state.ledger},
        )
    return content


def named_ledger(state: TableState) -> dict[str, str]:
    """What a snapshot's summary says of the ledger it was made with."""
    if state.ledger is None:
        return {}
    return {"headwater.ledger": state.ledger, "headwater.ledger-sha256": state.ledger_sha256 or ""}
