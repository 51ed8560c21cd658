"""What no committed file may say: paths of one machine, tools of one workplace, hosts of one registry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Written apart, so that this file does not hold what it looks for.
PLACES = [f"/{folder}/" for folder in ("work", "root")] + [f"/home/{'runner'}/"]
TOOLS = [f"farm-{tool}" for tool in ("studio", "bench")]
FORBIDDEN = re.compile("|".join(rf"(?<![\w.}}])({re.escape(word)})" for word in (*PLACES, *TOOLS)))
LOCKS = {"uv.lock": {"https://pypi.org", "https://files.pythonhosted.org"}, "requirements.txt": set[str]()}
"""Hosts a lock file may name; every other text file is held to name no package index at all."""
INDEX = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|https?://[^\s/]*(?:pypi|pythonhosted)[^\s/]*")


def _committed() -> dict[str, str]:
    """Text of every file that is committed, or would be by ``git add``; binary files hold no such words."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    found = {path.relative_to(ROOT).as_posix(): path.read_text(errors="replace") for path in files if path.is_file()}
    assert len(found) > 300
    return found


def _lines_with(pattern: re.Pattern[str], name: str, text: str) -> list[str]:
    return [f"{name}:{n}: {line.strip()[:120]}" for n, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def test_the_words_are_found_where_they_stand() -> None:
    for word in (*PLACES, *TOOLS):
        assert FORBIDDEN.search(f"see {word}x")
    assert FORBIDDEN.search(f"network{PLACES[0]}x") is None


def test_no_file_names_a_machine_or_a_tool_of_a_workplace() -> None:
    assert [line for name, text in _committed().items() for line in _lines_with(FORBIDDEN, name, text)] == []


def test_no_file_but_the_lock_names_a_package_index() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()
    others = {name: text for name, text in _committed().items() if name not in LOCKS and name != here}
    assert [line for name, text in others.items() for line in _lines_with(INDEX, name, text)] == []


def test_locks_name_public_hosts_only() -> None:
    for name, allowed in LOCKS.items():
        text = (ROOT / name).read_text()
        assert set(re.findall(r"https?://[^/\s\"]+", text)) <= allowed
        assert re.findall(r"--(?:extra-)?index-url|--find-links|--trusted-host", text) == []
