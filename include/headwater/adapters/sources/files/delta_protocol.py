"""Which Delta tables can be read, and why others cannot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from headwater.adapters.sources.files.landing import Landing
from headwater.domain.errors import HeadwaterError, SourceTableMissingError, SourceUnreachableError

if TYPE_CHECKING:
    from deltalake import DeltaTable

READABLE_FEATURES = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "domainMetadata"})
"""Features of readers that change nothing in how a data file is read."""
_STORE_WORDS = re.compile(
    "Generic (?:S3|MicrosoftAzure) error|error sending request|timed? ?out|status code", re.IGNORECASE
)
"""What the library says when a store does not answer or refuses."""


def check_readable(table: DeltaTable, landing: Landing, folder: str) -> None:
    """Refuse tables whose data files mean something else than the rows that stand in them.

    :raises SourceDataError: for deletion vectors, column mapping, and features that are not known.
    """
    protocol, configuration = table.protocol(), table.metadata().configuration
    unknown = sorted(set(protocol.reader_features or ()) - READABLE_FEATURES)
    mapping = configuration.get("delta.columnMapping.mode", "none")
    if mapping != "none" or "columnMapping" in unknown:
        what, got = "maps its columns to other names in its files", f"delta.columnMapping.mode = {mapping}"
        remedy = "Let its owner write a copy without column mapping, or a view as a table of its own."
    elif "deletionVectors" in unknown:
        what, got = "may delete rows without writing their files anew", "the reader feature deletionVectors"
        remedy = (
            "Let its owner run `REORG TABLE … APPLY (PURGE)` and `ALTER TABLE … DROP FEATURE deletionVectors`, "
            "with `delta.enableDeletionVectors` set to false."
        )
    elif unknown:
        what, got = "needs features of readers that Headwater lacks", ", ".join(unknown)
        remedy = "Let its owner drop the features, or write a copy without them."
    else:
        return
    raise landing.refusal(folder, what, got, f"reader features {', '.join(sorted(READABLE_FEATURES))}", remedy)


def no_table(landing: Landing, got: str) -> SourceTableMissingError:
    """The failure of a folder that holds no Delta table."""
    place = f"{landing.store.root}/{landing.extract.path}"
    return SourceTableMissingError(
        f"{place} is no Delta table",
        got=got,
        allowed="a folder that holds a _delta_log",
        remedy=f"Correct `path` of table {landing.table.name!r}, or the folder of connection {landing.connection!r}.",
        facts={**landing.facts, "relation": place},
    )


def unreadable_log(landing: Landing, got: str) -> HeadwaterError:
    """The failure of a log that is not understood, or cannot be had."""
    place = f"{landing.store.root}/{landing.extract.path}"
    if not _STORE_WORDS.search(got):
        allowed = f"a log of protocol 1 to 3 with reader features {', '.join(sorted(READABLE_FEATURES))}"
        remedy = "Let its owner repair the log, or write a copy without what is not understood."
        return landing.refusal(landing.extract.path, "has a log that cannot be understood", got, allowed, remedy)
    return SourceUnreachableError(
        f"the log of the Delta table {place} could not be read",
        got=got,
        remedy="Check that the store is up; the next run reads on from where this one began.",
        facts={**landing.facts, "relation": place},
    )
