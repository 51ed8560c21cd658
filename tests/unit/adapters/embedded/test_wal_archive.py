from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.embedded import wal_archive as wal

MEGABYTE = 1 << 20


@given(st.integers(0, (1 << 40)), st.sampled_from([MEGABYTE, 16 * MEGABYTE, 1024 * MEGABYTE]))
def test_a_position_lies_in_the_segment_that_is_named_for_it(position: int, segment_bytes: int) -> None:
    name = wal.segment_of(1, position, segment_bytes)
    assert len(name) == 24
    end = wal.segment_end(name, segment_bytes)
    assert end - segment_bytes <= position < end
    assert wal.segment_of(1, end, segment_bytes) > name


def test_names_are_those_of_postgres() -> None:
    assert wal.segment_of(1, wal.lsn("0/4000028"), 16 * MEGABYTE) == "000000010000000000000004"
    assert wal.segment_of(2, wal.lsn("1/FF000000"), 16 * MEGABYTE) == "0000000200000001000000FF"


def test_a_gap_is_found_over_the_edge_of_a_log_and_the_end_is_none() -> None:
    names = ["0000000100000000000000FD", "000000010000000100000000", "000000010000000100000001"]
    gone = ("0000000100000000000000FE", "0000000100000000000000FF")
    assert wal.missing(names, names[0], 16 * MEGABYTE) == gone
    assert wal.missing(names[1:], names[1], 16 * MEGABYTE) == ()
    assert wal.missing([], names[0], 16 * MEGABYTE) == ()


def test_the_first_segment_is_missed_as_well() -> None:
    assert wal.missing(["000000010000000000000005"], "000000010000000000000004", 16 * MEGABYTE) == (
        "000000010000000000000004",
    )


def test_another_timeline_is_not_needed() -> None:
    names = ["000000010000000000000004", "000000020000000000000005"]
    assert wal.needed(names, names[0]) == (names[0],)


@pytest.mark.parametrize("option", ["archive_command"])
def test_a_folder_with_signs_of_postgres_and_of_a_shell_is_quoted(option: str) -> None:
    from pathlib import Path

    told = wal.server_options(Path("/a b/100%/it's"))[option]
    assert "100%%" in told
    assert "'/a b/" in told
