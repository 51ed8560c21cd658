"""How the columns a file has become the columns a table declares."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote

from headwater.adapters.sources.files.landing import Landing
from headwater.domain.errors import SchemaDriftError

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Shape:
    """The declared columns of one file. ``constants`` are the values its path gives."""

    landing: Landing
    path: str
    constants: dict[str, str | None]
    is_of_table: bool = False
    """Whether the file is one of a table that has columns of its own: those a file lacks are NULL in it."""
    noticed: set[str] = field(default_factory=set)
    """What the file has that the table bears and does not take, in words."""

    @property
    def is_bearing(self) -> bool:
        """Whether other fields and types than the declared ones are borne and told, by ``drift: quarantine``."""
        return self.landing.table.drift == "quarantine"

    @property
    def undeclared_fields(self) -> str:
        """What becomes of undeclared fields: what is declared of them beats what is declared of all drift."""
        declared = self.landing.extract.undeclared_fields
        return "leave_out" if declared == "stop" and self.is_bearing else declared

    @classmethod
    def of(cls, landing: Landing, path: str, partitions: Mapping[str, str | None] | None = None) -> Shape:
        """:param partitions: what a Delta table's log says of the file; its columns were looked at with the table's.

        :raises SourceDataError: when a declared partition does not stand in the path, or stands there twice.
        """
        if partitions is not None:
            declared = {name: value or None for name, value in partitions.items() if name in landing.extract.columns}
            return cls(landing, path, declared, is_of_table=True)
        constants: dict[str, str | None] = {}
        for name in landing.extract.partitions:
            values = [part[len(name) + 1 :] for part in PurePosixPath(path).parts if part.startswith(f"{name}=")]
            if len(values) != 1:
                allowed = f"one folder {name}=…"
                raise landing.refusal(path, "does not have its partitions in its path", f"{len(values)} times {name}=",
                                      allowed, "Deliver the file below such folders.")  # fmt: skip
            constants[name] = None if values[0] == NULL_PARTITION else unquote(values[0])
        return cls(landing, path, constants)

    @property
    def names(self) -> tuple[str, ...]:
        """The declared columns that stand in the file, in their order."""
        return tuple(name for name in self.landing.extract.columns if name not in self.constants)

    def row(self, values: Sequence[str | None], places: Sequence[int | None]) -> list[str | None]:
        """All declared columns of one record. ``places``: of each name in ``names`` where in ``values`` it stands."""
        found = (None if place is None else values[place] for place in places)
        constants = self.constants
        return [constants[name] if name in constants else next(found) for name in self.landing.extract.columns]

    def places(self, found: Sequence[str], shown: str) -> list[int | None]:
        """Where each of ``names`` stands among the columns a file has.

        :raises SchemaDriftError: when they differ and the table is not declared to bear it.
        """
        doubled = sorted({name for name in found if list(found).count(name) > 1})
        if doubled:
            raise self.drift(doubled, [], f"has columns twice: {', '.join(doubled)}", shown)
        if not self.is_of_table:
            self.check(found, found, shown)
        return [found.index(name) if name in found else None for name in self.names]

    def check(self, every: Collection[str], seen: Collection[str], shown: str) -> None:
        """Refuse fields that are not declared and declared ones that are not there, as the policies say.

        :param every: fields that must be declared. :param seen: fields that some record of the file has.
        """
        extract = self.landing.extract
        missing = [name for name in self.names if name not in seen] if extract.missing_fields == "stop" else []
        extra = [name for name in every if name not in self.names] if extract.undeclared_fields != "ignore" else []
        if self.undeclared_fields == "leave_out":
            self.leave_out(extra)
            extra = []
        if missing or extra:
            what = f"missing {', '.join(missing) or 'none'}, not declared {', '.join(extra) or 'none'}"
            raise self.drift(missing, extra, f"does not have the declared columns: {what}", shown)

    def leave_out(self, names: Collection[str]) -> None:
        """Bear fields that are not declared, and have it told."""
        self.noticed.update(f"field {name} is left out" for name in names)

    def drift(self, missing: Sequence[str], extra: Sequence[str], what: str, shown: str) -> SchemaDriftError:
        """The error for a file whose columns are not the declared ones."""
        return SchemaDriftError(
            f"{self.path} {what}",
            got=shown[:200],
            allowed=", ".join(self.names),
            remedy="Deliver the file with the declared columns, or change `columns` of the extract; "
            "`undeclared_fields` and `missing_fields` say what else may be borne.",
            facts={
                **self.landing.facts,
                "file": self.path,
                "column": [*missing, *extra, ""][0],
                "missing": ", ".join(missing),
                "extra": ", ".join(extra),
            },
        )
