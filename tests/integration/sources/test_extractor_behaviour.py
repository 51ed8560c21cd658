"""What holds for every extractor: of relations, read in windows and whole, and of files, here and in a bucket."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr
from tests.integration.sources.extractors_under_test import SUBJECTS
from tests.integration.sources.sources_under_test import PLANNED_AT, rows_of
from tests.integration.sources.subject import RUN_KEY, SECRET, Subject

from headwater.domain.errors import HeadwaterError
from headwater.domain.run import position_prefix
from headwater.ports.extractor import Extracted

COLUMNS = "id, note, fare, _hw_op, _hw_position, _hw_origin, _hw_batch, _hw_run_key, _hw_extracted_at"


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    return SUBJECTS[request.param](request, tmp_path)


def ids(extracted: Extracted) -> list[int]:
    return [row[0] for row in rows_of(extracted, "id")]


def test_runs_after_each_other_read_every_row_and_none_twice(subject: Subject) -> None:
    """Rules 5 and 7; a snapshot is the whole relation each time."""
    subject.add(range(1, 6))
    assert ids(subject.run()) == [1, 2, 3, 4, 5]
    subject.add([6, 7])
    whole = [1, 2, 3, 4, 5] if subject.table.extract.mode == "snapshot" else []
    assert ids(subject.run()) == [*whole, 6, 7]


def test_nothing_new_writes_nothing_and_keeps_the_state(subject: Subject) -> None:
    """Rules 8 and 28."""
    subject.add([1, 2])
    subject.run()
    state, ledger, files = subject.state, subject.ledger, sorted(subject.folder.iterdir())
    again = subject.run()
    assert (again.files, again.rejects, again.rows, again.rejected) == ((), (), 0, 0)
    assert (subject.state, subject.ledger) == (state, ledger)
    assert sorted(subject.folder.iterdir()) == files


def test_empty_source_gives_its_columns_and_no_rows_and_then_what_arrives(subject: Subject) -> None:
    assert [column.name for column in subject.schema().columns[:3]] == ["id", "note", "fare"]
    empty = subject.run()
    assert (empty.files, empty.rejects, empty.rows) == ((), (), 0)
    assert not list(subject.folder.glob("*.parquet"))
    subject.add([1])
    assert ids(subject.run()) == [1]


def test_a_frozen_window_read_again_after_kill_9_gives_equal_rows(subject: Subject) -> None:
    """Rules 5 and 27: the plan says what is read, so a retry differs from the first try in nothing."""
    subject.add(range(1, 301))
    window = subject.plan()
    uninterrupted = rows_of(subject.extract(window), COLUMNS)
    subject.killed(window, "extract.files")
    again = subject.extract(window)
    assert len(uninterrupted) == 300
    assert rows_of(again, COLUMNS) == uninterrupted


def test_rows_that_arrive_after_the_plan_wait_for_the_next_run(subject: Subject) -> None:
    """A window is what the plan saw; a snapshot has no window, it is the moment of its own read."""
    subject.add([1, 2])
    window = subject.plan()
    subject.add([3])
    seen = [1, 2, 3] if window.kind == "snapshot" else [1, 2]
    assert ids(subject.extract(window)) == seen


def test_every_row_says_where_it_comes_from(subject: Subject) -> None:
    """Rules 12, 26 and 27: positions are unique, sortable, of one width; field ids are the live table's."""
    subject.add(range(1, 31))
    extracted = subject.run()
    rows = rows_of(extracted, COLUMNS)
    positions = [row[4] for row in rows]
    ordinals = [int(position.removeprefix(position_prefix(PLANNED_AT))) for position in positions]
    assert ordinals == list(range(ordinals[0], ordinals[0] + 30))
    assert positions == [f"{position_prefix(PLANNED_AT)}{ordinal:012d}" for ordinal in ordinals]
    assert {row[3] for row in rows} == {"r"}
    assert {(row[6], row[7], row[8]) for row in rows} == {(7, RUN_KEY, PLANNED_AT)}
    assert all(row[5].startswith(f"{subject.connection.id}:") for row in rows)
    for file in extracted.files:
        assert subject.stamp.attempt in Path(file.path).name
        found = {field.name: int(field.metadata[b"PARQUET:field_id"]) for field in pq.read_schema(file.path)}
        assert found == {column.name: column.field_id for column in subject.schema().columns}
    assert (extracted.rows, sum(file.rows for file in extracted.files)) == (30, 30)
    assert extracted.size_bytes == sum(Path(file.path).stat().st_size for file in extracted.files)


def _of_an_unknown_kind(subject: Subject) -> None:
    subject.with_extractor(lambda extractor: extractor.inspect(subject.table), subject.connection.model_copy(
        update={"kind": "carrier-pigeon"}
    ))  # fmt: skip


def _of_a_relation_that_is_gone(subject: Subject) -> None:
    window, schema = subject.plan(), subject.schema()
    subject.remove()
    subject.extract(window, schema)


def _of_a_source_that_is_closed_to_us(subject: Subject) -> None:
    elsewhere = {} if subject.connection.kind in ("postgres", "mariadb") else {"extra": {"path": "/no/such/folder"}}
    wrong = subject.connection.model_copy(update={"password": SecretStr(SECRET), **elsewhere})
    subject.with_extractor(lambda extractor: extractor.inspect(subject.table), wrong)


def _of_an_unknown_extra(subject: Subject) -> None:
    wrong = subject.connection.model_copy(update={"extra": {"password": SECRET}})
    subject.with_extractor(lambda extractor: extractor.inspect(subject.table), wrong)


@pytest.mark.parametrize(
    "refuse",
    [_of_an_unknown_kind, _of_a_relation_that_is_gone, _of_a_source_that_is_closed_to_us, _of_an_unknown_extra],
)
def test_no_error_shows_a_secret(subject: Subject, refuse: Callable[[Subject], None]) -> None:
    subject.add([1])
    with pytest.raises(HeadwaterError) as caught:
        refuse(subject)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value.facts)
    assert SECRET not in shown
    assert subject.connection.password.get_secret_value() not in shown
    assert caught.value.facts["connection"] == subject.connection.id
