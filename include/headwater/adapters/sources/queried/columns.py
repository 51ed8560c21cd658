"""A column of a relation, and how its values are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from headwater.domain.schema import Column

_DAY_DIGITS = 10
_MICROSECOND_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Moments:
    """The instants a type of the source can hold, as texts of one width: comparing texts compares instants.

    :param step: the least distance of two of them; thirds of a hundredth of a second are ``datetime`` of SQL Server.
    :param digits: of the fraction of a second.
    """

    step: Literal["day", "minute", "second", "third of 10 ms", "fraction"]
    digits: int = 0

    def floor(self, moment: datetime) -> str:
        """The greatest value that is not after an instant."""
        return self._text(moment, "0")

    def before(self, moment: datetime) -> str:
        """The greatest value before an instant of whole microseconds."""
        return self._text(moment - timedelta(microseconds=1), "9")

    def _text(self, moment: datetime, filling: str) -> str:
        plain = moment.astimezone(UTC) if moment.tzinfo else moment
        if self.step == "day":
            return plain.strftime("%Y-%m-%d").rjust(_DAY_DIGITS, "0")
        if self.step == "minute":
            plain = plain.replace(second=0)
        whole = plain.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
        if self.step == "third of 10 ms":
            ticks = plain.microsecond * 300 // 1_000_000
            # .000, .003, .007: how the server rounds a third in showing it
            return f"{whole}.{(ticks * 10 + 1) // 3:03d}"
        fraction = f"{plain.microsecond:06d}".ljust(self.digits, filling)[: self.digits]
        return f"{whole}.{fraction}" if self.digits else whole


def instant(text: str) -> datetime:
    """The instant of a text, without what lies below a microsecond."""
    whole, _, fraction = text.partition(".")
    below_second = int(fraction[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0"))
    return datetime.fromisoformat(whole) + timedelta(microseconds=below_second)


@dataclass(frozen=True, slots=True)
class QueriedColumn:
    """A column as the source has it.

    :param type: the Iceberg type. :param source_type: as the source declares it.
    :param form: the source's SQL of a value as it travels, with ``{}`` for the value.
    :param moments: of a date or time that can be a cursor, else None.
    :param counts: whether it is a version that the database itself counts up with every change.
    :param beyond: the source's condition for values that no Iceberg type holds (NaN, years before 1), with ``{}``.
    :param problem: why it cannot be carried, if so.
    :param note: what of it is not carried, if anything.
    """

    name: str
    type: str
    source_type: str
    form: str = "{}"
    required: bool = False
    moments: Moments | None = None
    counts: bool = False
    beyond: str | None = None
    problem: str | None = None
    note: str | None = None

    def column(self) -> Column:
        return Column(name=self.name, type=self.type, required=self.required, source_type=self.source_type)
