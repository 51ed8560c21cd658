"""What a cursor's values say of a relation, and whether a run may go on with them (rule 6)."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.domain.errors import SourceDataError
from headwater.domain.spec import SqlExtract, TableSpec


@dataclass(frozen=True, slots=True)
class Survey:
    """Numbers of rows with a NULL cursor and with one in the future, and the greatest cursor a run may read up to."""

    nulls: int
    futures: int
    highest: str | None


def check_bearable(
    table: TableSpec, extract: SqlExtract, relation: str, nulls: int, futures: int, no_value: str = "NULL"
) -> None:
    """Refuse unusable cursors where the policy is ``stop``.

    :param no_value: what a cursor that is counted among ``nulls`` may be.
    :raises SourceDataError: telling how many there are.
    """
    if extract.bad_cursor == "stop" and (nulls or futures):
        name = str(extract.cursor)
        raise SourceDataError(
            f"{nulls + futures} rows of {relation} have no usable cursor {name!r}",
            got=f"{nulls} {no_value}, {futures} in the future",
            allowed="none, by `bad_cursor: stop`",
            remedy=f"Correct {name!r} at the source, or set `bad_cursor: quarantine`.",
            facts={"table": table.name, "relation": relation, "column": name, "count": str(nulls + futures)},
        )
