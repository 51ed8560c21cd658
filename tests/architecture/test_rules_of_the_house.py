"""What a reviewer would otherwise have to look for in every change."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("include/headwater", "plugins", "spark_jobs", "dags")
LONGEST_FILE_LINES = 250
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def _python_files() -> list[Path]:
    found = [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(found) > 50
    return found


def _documents() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    for folder in ("docs", "include/runbooks", "benchmarks"):
        yield from sorted((ROOT / folder).rglob("*.md"))


def test_layers_import_only_downwards() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_stay_short() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in _python_files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE_LINES} == {}


def test_no_module_has_a_vague_name() -> None:
    assert [path for path in _python_files() if path.stem in VAGUE_NAMES or path.parent.name in VAGUE_NAMES] == []


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    found = [path for path in _python_files() if words.search(path.read_text())]
    assert found == []


def test_every_package_says_what_it_is_for() -> None:
    silent = [path for path in _python_files() if '"""' not in path.read_text().lstrip()[:3] and path.stat().st_size]
    assert silent == []


@pytest.mark.parametrize("document", list(_documents()), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_of_documents_lead_somewhere(document: Path) -> None:
    broken = []
    for target in LINK.findall(document.read_text()):
        place, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (document.parent / place).resolve() if place else document
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


def _anchors(file: Path) -> set[str]:
    headings = [line.lstrip("#").strip().lower() for line in file.read_text().splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}
