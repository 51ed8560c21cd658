"""The log of a Delta table: which files make a version, and what the commits between two versions did."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from headwater.adapters.sources.files.delta_address import address_of, redacted
from headwater.adapters.sources.files.landing import Landing
from headwater.domain.errors import HeadwaterError, SourceDataError, SourceTableMissingError, SourceUnreachableError

if TYPE_CHECKING:
    from deltalake import DeltaTable

READABLE_FEATURES = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "domainMetadata"})
"""Features of readers that change nothing in how a data file is read."""


_STORE_WORDS = re.compile(
    "Generic (?:S3|MicrosoftAzure) error|error sending request|timed? ?out|status code", re.IGNORECASE
)
"""What the library says when a store does not answer or refuses."""


@dataclass(frozen=True, slots=True)
class DeltaFile:
    """A data file; ``path`` is relative to the table, ``partitions`` the values that stand in the log alone."""

    path: str
    size: int
    partitions: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class DeltaLog:
    """A table at its newest version."""

    landing: Landing
    folder: str
    version: int
    id: str
    columns: tuple[str, ...]
    _table: DeltaTable = field(repr=False)

    @classmethod
    def open(cls, landing: Landing) -> DeltaLog:
        """:raises SourceTableMissingError: when the folder holds no Delta table.
        :raises SourceDataError: when its files mean more than they hold: deletion vectors, column mapping.
        """
        import deltalake
        from deltalake.exceptions import DeltaError

        folder = landing.relative(landing.extract.path)
        if not landing.store.is_folder(folder):
            raise _missing(landing, "no such folder")
        uri, options = address_of(landing, folder)
        try:
            table = deltalake.DeltaTable(uri, storage_options=options)
            found = cls(
                landing,
                folder,
                table.version(),
                str(table.metadata().id),
                tuple(column.name for column in table.schema().fields),
                table,
            )
        except deltalake.exceptions.TableNotFoundError as error:
            failure: HeadwaterError = _missing(landing, redacted(landing, str(error)))
        except (DeltaError, OSError) as error:
            failure = _unreadable(landing, redacted(landing, str(error)))
        else:
            found.check_readable()
            return found
        # outside the except block: the library's error may quote what it was opened with
        raise failure

    def check_readable(self) -> None:
        """Refuse tables whose data files mean something else than the rows that stand in them."""
        protocol, configuration = self._table.protocol(), self._table.metadata().configuration
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
        raise self.refusal(what, got, f"reader features {', '.join(sorted(READABLE_FEATURES))}", remedy)

    def files(self) -> list[DeltaFile]:
        """Every file of the version, the oldest first."""
        import pyarrow as pa

        actions = pa.table(self._table.get_add_actions(flatten=False)).to_pylist()
        actions.sort(key=lambda item: (item["modification_time"], item["path"]))
        return [
            DeltaFile(unquote(item["path"]), int(item["size_bytes"]), _texts(item.get("partition"))) for item in actions
        ]

    def added_since(self, version: int) -> list[DeltaFile]:
        """Files with rows that the commits after ``version`` added; files rewritten without a change of rows are none.

        :raises SourceDataError: when a commit deletes or updates rows, or its entry of the log is gone.
        """
        found: list[DeltaFile] = []
        for number in range(version + 1, self.version + 1):
            actions = list(self._commit(number))
            removed = [item["remove"] for item in actions if _changes_rows(item.get("remove"))]
            if removed:
                raise self._not_appended(number, actions, len(removed))
            for item in actions:
                if _changes_rows(item.get("add")):
                    added = item["add"]
                    partitions = {name: value or None for name, value in (added.get("partitionValues") or {}).items()}
                    found.append(DeltaFile(unquote(added["path"]), int(added["size"]), partitions))
        return found

    def refusal(self, what: str, got: str, allowed: str, remedy: str) -> SourceDataError:
        return self.landing.refusal(self.folder, what, got, allowed, remedy)

    def _commit(self, number: int) -> Iterator[dict[str, Any]]:
        path = f"{self.folder}/_delta_log/{number:020d}.json"
        if self.landing.stat(path) is None:
            raise self.refusal(
                f"no longer says what version {number} changed",
                "no such entry in its log",
                "entries of every version since the last run",
                "Run with full_refresh: it takes the table as it is now. Let its owner keep the log longer than runs "
                "may be apart (`delta.logRetentionDuration`).",
            )
        with self.landing.open(path) as content:
            for line in content:
                if line.strip():
                    yield json.loads(line)

    def _not_appended(self, number: int, actions: list[dict[str, Any]], files: int) -> SourceDataError:
        told = next((str(item["commitInfo"].get("operation")) for item in actions if "commitInfo" in item), "unknown")
        return self.refusal(
            f"is not only appended to: version {number} takes rows away",
            f"operation {told}, which removes {files} files",
            "versions that append, or rewrite files without a change of rows (OPTIMIZE)",
            "Declare `mode: snapshot`, which compares whole versions; or run with full_refresh, which takes every row "
            "of the table as it is now again.",
        )


def _changes_rows(action: dict[str, Any] | None) -> bool:
    return action is not None and bool(action.get("dataChange", True))


def _texts(values: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Values of partitions as they stand in the log."""
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in (values or {}).items()}
    return {name: None if value is None else str(value) for name, value in texts.items()}


def _missing(landing: Landing, got: str) -> SourceTableMissingError:
    place = f"{landing.store.root}/{landing.extract.path}"
    return SourceTableMissingError(
        f"{place} is no Delta table",
        got=got,
        allowed="a folder that holds a _delta_log",
        remedy=f"Correct `path` of table {landing.table.name!r}, or the folder of connection {landing.connection!r}.",
        facts={**landing.facts, "relation": place},
    )


def _unreadable(landing: Landing, got: str) -> HeadwaterError:
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
