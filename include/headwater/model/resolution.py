"""What became of one YAML file: a spec, or what is wrong with it; and what must hold for its names and owners."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from headwater.domain.errors import SpecError
from headwater.domain.names import NAME_RULE, is_name
from headwater.domain.spec import Owner, PipelineSpec
from headwater.model.documents import Document, SourceDocument
from headwater.model.schedules import Finding
from headwater.model.yaml_text import YamlDocument

_EMAIL = re.compile(r"[^@\s<>,;:\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,250}[A-Za-z0-9])?")


@dataclass
class Resolution:
    """Collects findings while a file is resolved; ``spec`` stays None when there are errors."""

    document: YamlDocument
    spec: PipelineSpec | None = None
    errors: list[SpecError] = field(default_factory=list)
    warnings: list[SpecError] = field(default_factory=list)

    def refuse(self, findings: Iterable[Finding], base: Sequence[str | int] = ()) -> None:
        """Turn findings into errors; their paths start at ``base``."""
        self.errors += [self._error(finding, base) for finding in findings]

    def collect(self, errors: Iterable[SpecError]) -> None:
        """Take errors over. What is wrong with the defaults is wrong with each table that has them, and told once."""
        told = {str(error) for error in self.errors}
        self.errors += [error for error in errors if str(error) not in told]

    def warn(self, findings: Iterable[Finding], base: Sequence[str | int] = ()) -> None:
        """Turn findings into warnings; their paths start at ``base``."""
        self.warnings += [self._error(finding, base) for finding in findings]

    def _error(self, finding: Finding, base: Sequence[str | int]) -> SpecError:
        path, message, got, allowed = finding
        return SpecError(message, self.document.locate((*base, *path)), got=got, allowed=allowed)


def name_findings(names: Iterable[str], section: str) -> Iterator[Finding]:
    """Names of tables that are none, such as ``../evil``."""
    for name in names:
        if not is_name(name):
            yield (section, name), "this is no name", repr(name)[:80], NAME_RULE


def owner_findings(parsed: Document) -> Iterator[Finding]:
    """Owners nobody could reach."""
    owners: list[tuple[tuple[str, ...], Owner | None]] = [(("owner",), parsed.owner)]
    if isinstance(parsed, SourceDocument):
        owners += [(("tables", name, "owner"), table.owner) for name, table in parsed.tables.items()]
    owners += [(("gold", name, "owner"), gold.owner) for name, gold in parsed.gold.items()]
    for path, owner in owners:
        if owner is not None:
            yield from _owner(owner, path)


def _owner(owner: Owner, path: tuple[str, ...]) -> Iterator[Finding]:
    if not owner.email and owner.slack is None:
        yield path, "nobody would be told: an owner needs an address", "no email, no slack", "email: […] or slack"
    for index, address in enumerate(owner.email):
        if _EMAIL.fullmatch(address) is None:
            yield (*path, "email", index), "this is no mail address", repr(address)[:80], "name@example.com"
