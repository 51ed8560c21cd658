from __future__ import annotations

from pathlib import Path

import pytest

from headwater.cli.scaffold import write_source
from headwater.domain.errors import SpecError
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import Owner
from headwater.model.repository import load_repository
from headwater.ports.extractor import SourceRelation

OWNER = Owner(team="shop-team", email=("shop@example.com",))


def _relation(name: str, key: tuple[str, ...], cursors: tuple[str, ...]) -> SourceRelation:
    columns = tuple(Column(name=column, type="string") for column in (*key, *cursors, "note"))
    return SourceRelation(
        relation=name, primary_key=key, cursor_candidates=cursors, schema_=TableSchema(columns=columns)
    )


def test_scaffolded_source_passes_validation_at_once(tmp_path: Path) -> None:
    relations = [
        _relation("public.orders", ("id",), ("updated_at",)),
        _relation("sales.Order-Lines", ("order_id", "line"), ()),
        _relation("public.2024_log", (), ("written_at",)),
        _relation("public.keyless", (), ()),
    ]
    written = write_source(tmp_path, "shop", "shop_db", OWNER, relations)
    assert len(written) == 1 + 2 * 4
    found = load_repository(tmp_path)
    assert [str(error) for error in found.errors] == []
    [shop] = found.sources
    assert {table.name for table in shop.tables} == {"orders", "order_lines", "t_2024_log", "keyless"}
    orders = shop.table("orders")
    assert orders.key == ("id",)
    assert orders.extract.mode == "incremental"


def test_nothing_is_overwritten_and_names_are_checked(tmp_path: Path) -> None:
    relations = [_relation("public.orders", ("id",), ())]
    write_source(tmp_path, "shop", "shop_db", OWNER, relations)
    with pytest.raises(SpecError, match="already"):
        write_source(tmp_path, "shop", "shop_db", OWNER, relations)
    with pytest.raises(SpecError, match="no name"):
        write_source(tmp_path, "../evil", "shop_db", OWNER, relations)
