"""Patterns over buckets mean what they mean over folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.adapters.sources.files.patterns import compiled, fixed_folder, is_hidden

NAMES = ["a.csv", "b.csv", "ab.csv", "x/a.csv", "x/y/a.csv", "x/y/z.csv", "[a].csv", "a^.csv", "x/b.json"]
PATTERNS = ["*", "*.csv", "?.csv", "[ab].csv", "[!a]*.csv", "[[]a].csv", "x/*", "*/a.csv", "**/a.csv", "**/*.csv",
            "x/**/*.csv", "x/y/a.csv", "x/y/*", "*/*/*", "a[^].csv", "**/y/*"]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_the_files_a_folder_would_give(tmp_path: Path, pattern: str) -> None:
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    globbed = {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob(pattern) if path.is_file()}
    assert {name for name in NAMES if compiled(pattern).fullmatch(name)} == globbed


@pytest.mark.parametrize(
    ("pattern", "folder"), [("*.csv", ""), ("x/*.csv", "x"), ("x/y/a.csv", "x/y"), ("x/y=*/z/*", "x"), ("**/a", "")]
)
def test_the_folder_listed_is_the_deepest_one_without_signs(pattern: str, folder: str) -> None:
    assert fixed_folder(pattern) == folder


def test_what_writers_hide_is_hidden() -> None:
    assert [is_hidden(name) for name in (".a", "x/.a/b", "_temporary/0/a", "_delta_log/0.json")] == [True] * 4
    assert [is_hidden(name) for name in ("a", "_a.csv", "x/_y=1/a", "_SUCCESS")] == [False] * 4
