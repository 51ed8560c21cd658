"""What the guides say of sources is what the code says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.adapters.sources.kinds import SOURCE_KINDS, SourceKind, badge_of
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.external import ExternalJob
from headwater.domain.spec import ExternalExtract, FilesExtract, Silver, SqlExtract, TableSpec
from headwater.model.key_words import KEY_WORDS
from headwater.model.options import OPTIONS, option_table, with_tables
from headwater.ports.connections import ConnectionInfo

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides" / "sources"


def test_tables_of_options_are_those_of_the_models() -> None:
    """`make options` writes them anew."""
    guides = {path: path.read_text() for path in sorted(GUIDES.glob("*.md"))}
    assert {path.name for path, text in guides.items() if with_tables(text) != text} == set()
    assert sum(text.count("<!-- options: ") for text in guides.values()) >= len(OPTIONS)


@pytest.mark.parametrize("kind", OPTIONS)
def test_every_option_has_a_row_with_its_meaning(kind: str) -> None:
    rows = option_table(kind).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(OPTIONS[kind].model_fields)
    assert all(row.count(" | ") >= 4 for row in rows)
    assert set(KEY_WORDS[OPTIONS[kind].__name__]) == set(OPTIONS[kind].model_fields)


@pytest.mark.parametrize("kind", SOURCE_KINDS, ids=lambda kind: kind.name)
def test_a_kind_has_a_guide_with_its_badge_and_a_place_in_the_list(kind: SourceKind) -> None:
    assert f"Badge: {badge_of(kind)}." in (GUIDES / kind.guide).read_text()
    types = ", ".join(f"`{name}`" for name in kind.connections)
    assert f"| [{kind.name}]({kind.guide}) | {types} | {badge_of(kind)} |" in (GUIDES / "README.md").read_text()


@pytest.mark.parametrize("kind", SOURCE_KINDS, ids=lambda kind: kind.name)
def test_every_connection_type_of_a_kind_opens_an_extractor(kind: SourceKind) -> None:
    job = ExternalJob(connection="c", start="/jobs", status="/jobs/{id}")
    extracts = {
        "sql": SqlExtract(),
        "files": FilesExtract(path="x", columns={"a": "int"}),
        "external": ExternalExtract(path="x", columns={"a": "int"}, manifest="{key}", job=job),
    }
    table = TableSpec(name="t", extract=extracts[kind.extract], silver=Silver(mode="append"))
    for name in kind.connections:
        open_extractor(table, ConnectionInfo(id="c", kind=name)).close()
