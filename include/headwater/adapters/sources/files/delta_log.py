"""The log of a Delta table: which files make a version, and what the commits between two versions did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from headwater.adapters.sources.files.delta_address import address_of, redacted
from headwater.adapters.sources.files.delta_protocol import check_readable, no_table, unreadable_log
from headwater.adapters.sources.files.landing import Landing
from headwater.domain.errors import HeadwaterError, SourceDataError

if TYPE_CHECKING:
    from deltalake import DeltaTable


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
            raise no_table(landing, "no such folder")
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
            failure: HeadwaterError = no_table(landing, redacted(landing, str(error)))
        except (DeltaError, OSError) as error:
            failure = unreadable_log(landing, redacted(landing, str(error)))
        else:
            check_readable(table, landing, folder)
            return found
        # outside the except block: the library's error may quote what it was opened with
        raise failure

    def types(self) -> dict[str, str]:
        """The columns' types in the log's own words; nested ones are ``struct``, ``array`` or ``map``."""
        return {item.name: str(getattr(item.type, "type", item.type)) for item in self._table.schema().fields}

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
