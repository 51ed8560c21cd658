"""What an edit of a pipeline's files does to the tables that exist already (rule 14)."""

from __future__ import annotations

import json
from enum import StrEnum

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.names import TableName

FactValue = str | int | float | bool | tuple[str, ...] | None


class Effect(StrEnum):
    """Least first. ``evolve`` adds a nullable column or widens a type, ``rebuild`` makes the table anew."""

    NOTHING = "nothing"
    EVOLVE = "evolve"
    REBUILD = "rebuild"
    REFUSE = "refuse"


class Acknowledgement(Value):
    """A person's word that a change which destroys something is meant.

    :param change: path of what changed, below the table: ``key``, ``silver.mode``, ``columns.temp.type``.
    :param was: what it was. It ends with the change, so it cannot stay valid by accident.
    """

    change: str = Field(pattern=r"^[a-z][A-Za-z0-9_.]*$", max_length=200)
    was: FactValue


class SpecChange(Value):
    """One thing that changed, and what that does to one table.

    :param why: in words, as a clause.
    :param destroys: what readers have now and will not have after; empty when nothing is lost.
    :param acknowledged: the YAML says that the change is meant with all it takes from readers.
    :param reshapes: columns go, or rows are told apart otherwise: it takes a new physical table.
    """

    table: TableName
    path: str
    was: FactValue
    now: FactValue
    effect: Effect
    why: str
    destroys: str = ""
    acknowledged: bool = False
    reshapes: bool = False

    @property
    def is_open(self) -> bool:
        """Whether somebody has to say that the loss is meant."""
        return bool(self.destroys) and not self.acknowledged

    @property
    def acknowledgement(self) -> str:
        """What to write into the YAML below the table."""
        return f"acknowledge: [{{change: {self.path}, was: {written(self.was)}}}]"

    @property
    def text(self) -> str:
        """The change on one line."""
        loss = f"; lost: {self.destroys}" if self.destroys else ""
        loss += " (acknowledged)" if self.acknowledged else ""
        loss += "; in a new physical table, swapped in at publish" if self.reshapes and not self.is_open else ""
        turned = f"was {written(self.was)}, is {written(self.now)}"
        return f"{self.table}: {self.path} {turned}: {self.effect}: {self.why}{loss}"


def written(value: FactValue) -> str:
    """A value as YAML in one line."""
    return json.dumps(value, ensure_ascii=False)


def worst(changes: tuple[SpecChange, ...]) -> Effect:
    """What all changes of a table together do to it."""
    order = list(Effect)
    return max((change.effect for change in changes), key=order.index, default=Effect.NOTHING)
