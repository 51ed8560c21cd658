"""A connection's password is changed where it is kept, and nothing else of it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.connections import EnvironmentConnections
from headwater.adapters.connections.file import read_connections, write_connections
from headwater.adapters.connections.parsing import parse_connection, with_password


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1))
@pytest.mark.parametrize(
    "text",
    [
        "postgres://ana:old@db.example.com:5432/shop?sslmode=require",
        "postgres://ana@db.example.com/shop",
        "postgres://db.example.com",
        "slackwebhook://:old@127.0.0.1:5000/http",
        "http://https://ana:old@host:1/path",
        '{"conn_type": "postgres", "host": "db", "login": "ana", "password": "old", "extra": {"sslmode": "require"}}',
    ],
)
def test_only_the_password_changes(text: str, password: str) -> None:
    before = parse_connection("c", text)
    after = parse_connection("c", with_password("c", text, password))
    assert after.password.get_secret_value() == password
    assert after.model_copy(update={"password": before.password}) == before


def test_what_is_no_connection_is_refused_without_being_quoted() -> None:
    with pytest.raises(ValueError, match="type") as refused:
        with_password("c", "ana:s3cret@db", "new")
    assert "s3cret" not in str(refused.value)


def test_writing_one_connection_leaves_the_others_and_the_comments(tmp_path: Path) -> None:
    file = tmp_path / "connections.env"
    file.write_text("# the shop=old\na=postgres://h/a\nb=postgres://h/b?x=1=2\n")
    write_connections(file, {"b": "postgres://new/b", "c": json.dumps({"conn_type": "http"})})
    assert file.read_text().startswith("# the shop=old\na=postgres://h/a\n")
    assert read_connections(file) == {"a": "postgres://h/a", "b": "postgres://new/b", "c": '{"conn_type": "http"}'}
    assert EnvironmentConnections(file, {}).resolve("b").host == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
