"""What is allowed and yet likely to be regretted: each practice with its reason, and how the YAML accepts it.

Asked for by ``headwater validate`` and a pull request's check only: a practice never stops a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.model.attempts import Attempt
from headwater.model.layout import Layout
from headwater.model.sql.practices import sql_practices
from headwater.model.table_rules import hides_deletes
from headwater.model.yaml_text import YamlDocument


@dataclass(frozen=True, slots=True)
class Practice:
    """Why, what to do instead, and whether it fails the check."""

    reason: str
    remedy: str
    is_error: bool = True


PRACTICES: dict[str, Practice] = {
    "select_star": Practice(
        "* takes whatever columns its input has: one that is new upstream changes this table, or breaks it",
        "name the columns",
    ),
    "cross_join": Practice(
        "no condition ties the joined tables: every row meets every row, and sums come out multiplied",
        "join ON the columns that the tables share",
    ),
    "non_deterministic": Practice(
        "the answer depends on the order rows happen to come in: the same input gives another table when run again",
        "order the window or the list by columns that leave no tie, or use min, max, min_by or max_by",
    ),
    "unbounded_history": Practice(
        "this table holds every version of a key, corrected ones too: without a condition a row meets all of them",
        "add `is_current`, or `batch_out IS NULL` with a condition on valid_from and valid_to",
    ),
    "missing_grain": Practice(
        "nothing says what a row is, so no gate can find a doubled one",
        "declare `grain: [columns that identify a row]`",
    ),
    "invisible_deletes": Practice(
        "an incremental extract never sees that a row was deleted at the source (rule 31)",
        "name `extract.deleted_column`, or read `mode: snapshot`",
        is_error=False,
    ),
    "no_description": Practice(
        "whoever finds the table in a catalogue cannot know what a row is",
        "add `description`, a sentence saying what a row is",
        is_error=False,
    ),
}


@dataclass(frozen=True, slots=True)
class _Found:
    practice: str
    where: Location
    got: str | None = None


def practice_findings(
    layout: Layout, attempts: Sequence[Attempt]
) -> tuple[tuple[SpecError, ...], tuple[SpecError, ...]]:
    """Errors and warnings over every pipeline that loads; what its YAML accepts is left out."""
    histories = {name for attempt in attempts if attempt.spec is not None for name in _histories(attempt.spec)}
    found = [finding for attempt in attempts for finding in _of_pipeline(layout, attempt, histories)]
    errors = tuple(error for error, is_error in found if is_error)
    return errors, tuple(error for error, is_error in found if not is_error)


def _histories(spec: PipelineSpec) -> Iterator[str]:
    for table in spec.tables if isinstance(spec, SourceSpec) else ():
        if table.silver.form == "scd2":
            yield spec.name_of(Layer.SILVER, table.name).dotted


def _of_pipeline(layout: Layout, attempt: Attempt, histories: Collection[str]) -> Iterator[tuple[SpecError, bool]]:
    spec, resolution = attempt.spec, attempt.resolution
    if spec is None or resolution is None:
        return
    document = resolution.document
    sections: dict[tuple[str, str], list[_Found]] = {}
    for table in spec.tables if isinstance(spec, SourceSpec) else ():
        path = ("tables", table.name)
        sections[path] = _described(table.description, document, path)
        if hides_deletes(table):
            sections[path].append(_Found("invisible_deletes", document.locate((*path, "extract", "mode"))))
        if table.sql is not None:
            sections[path] += _in_sql(layout, spec.name_of(Layer.SILVER, table.name), table.sql, histories)
    for gold in spec.gold:
        path = ("gold", gold.name)
        sections[path] = _described(gold.description, document, path)
        sections[path] += [] if gold.grain else [_Found("missing_grain", document.locate(path))]
        if gold.transform is None:
            sections[path] += _in_sql(layout, spec.name_of(Layer.GOLD, gold.name), gold.sql, histories)
    for path, found in sections.items():
        yield from _unaccepted(document, path, found)


def _described(description: str | None, document: YamlDocument, path: tuple[str, str]) -> list[_Found]:
    return [] if description and description.strip() else [_Found("no_description", document.locate(path))]


def _in_sql(layout: Layout, table: TableName, sql: str, histories: Collection[str]) -> list[_Found]:
    file = layout.display(layout.sql(table))
    places = sorted(set(sql_practices(sql, file, histories)), key=lambda place: (place[1] or 0, place[0]))
    return [_Found(practice, Location(file, line), got) for practice, line, got in places]


def _unaccepted(
    document: YamlDocument, path: tuple[str, str], found: Sequence[_Found]
) -> Iterator[tuple[SpecError, bool]]:
    accepted = [item["practice"] for item in _accept(document.value[path[0]][path[1]])]
    for item in found:
        if item.practice not in accepted:
            yield _error(item, path), PRACTICES[item.practice].is_error
    for practice, count in Counter(accepted).items():
        index = accepted.index(practice)
        where = document.locate((*path, "accept", index))
        if count > 1:
            message, facts = "this practice is accepted twice", {"practice": practice}
            yield SpecError(message, where, got=practice, allowed="each once", facts=facts), True
        if practice not in {item.practice for item in found}:
            message = "nothing here does what is accepted: an acceptance nobody needs would hide the next one"
            facts = {"practice": practice}
            yield SpecError(message, where, got=practice, remedy="remove the entry", facts=facts), True


def _error(item: _Found, path: tuple[str, str]) -> SpecError:
    practice = PRACTICES[item.practice]
    accept = f"{'.'.join(path)}.accept: [{{practice: {item.practice}, because: …}}]"
    return SpecError(
        f"{item.practice}: {practice.reason}",
        item.where,
        got=item.got,
        remedy=f"{practice.remedy}; or accept it in the YAML with the reason: {accept}",
        facts={"practice": item.practice},
    )


def _accept(section: Any) -> list[dict[str, Any]]:
    # validated before: a spec exists
    return list(section.get("accept") or ())
