"""What an extractor cannot do is refused before it is opened."""

from __future__ import annotations

import pytest

from headwater.adapters.sources.opening import open_extractor
from headwater.domain.errors import SpecError
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo


@pytest.mark.parametrize("kind", ["mariadb", "sqlite", "oracle"])
def test_several_readers_are_refused_where_one_session_reads(kind: str) -> None:
    table = TableSpec(name="orders", key=("id",), extract=SqlExtract(readers=2), silver=Silver(mode="upsert"))
    with pytest.raises(SpecError, match="is read by one session"):
        open_extractor(table, ConnectionInfo(id="shop", kind=kind))
    assert open_extractor(table, ConnectionInfo(id="shop", kind="postgres"))
