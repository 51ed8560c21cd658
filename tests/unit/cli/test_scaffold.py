from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headwater.cli.scaffold import write_source
from headwater.domain.errors import SpecError
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import Owner, SqlExtract, TableSpec
from headwater.model.repository import load_repository
from headwater.ports.extractor import SourceRelation

OWNER = Owner(team="shop-team", email=("shop@example.com",))


def _relation(name: str, key: tuple[str, ...], cursors: tuple[str, ...], **more: Any) -> SourceRelation:
    columns = tuple(Column(name=column, type="string") for column in dict.fromkeys((*key, *cursors, "note")))
    return SourceRelation(
        relation=name, primary_key=key, cursor_candidates=cursors, schema_=TableSchema(columns=columns), **more
    )


def _tables(root: Path, *relations: SourceRelation) -> dict[str, TableSpec]:
    write_source(root, "shop", "shop_db", OWNER, relations)
    found = load_repository(root)
    assert [str(error) for error in found.errors] == []
    [shop] = found.sources
    return {table.name: table for table in shop.tables}


def _sql(table: TableSpec) -> SqlExtract:
    assert isinstance(table.extract, SqlExtract)
    return table.extract


def test_scaffolded_source_passes_validation_at_once(tmp_path: Path) -> None:
    tables = _tables(
        tmp_path,
        _relation("public.orders", ("id",), ("updated_at",)),
        _relation("sales.Order-Lines", ("order_id", "line"), ()),
        _relation("public.2024_log", (), ("written_at",)),
        _relation("public.keyless", (), ()),
        _relation('public.quo"te', ('a "b"',), ()),
    )
    assert set(tables) == {"orders", "order_lines", "t_2024_log", "keyless", "quo_te"}
    assert len(list(tmp_path.rglob("*.y*ml"))) == 1 + 3 * len(tables)


def test_what_a_table_offers_decides_how_it_is_read(tmp_path: Path) -> None:
    tables = _tables(
        tmp_path,
        _relation("public.orders", ("id",), ("updated_at", "id")),
        _relation("public.events", ("id",), ("created_at", "id")),
        _relation("public.log", (), ("created_at",)),
        _relation("public.keyless", (), ()),
        _relation("public.coded", (), (), unique_key=("code",)),
    )
    found = {
        name: (table.key, table.extract.mode, _sql(table).cursor, table.silver.mode) for name, table in tables.items()
    }
    assert found == {
        # only a stamp that moves with every change shows changes; a number that grows shows new rows
        "orders": (("id",), "incremental", "updated_at", "upsert"),
        "events": (("id",), "snapshot", None, "upsert"),
        "log": ((), "incremental", "created_at", "append"),
        "keyless": (("note",), "snapshot", None, "upsert"),
        "coded": (("code",), "snapshot", None, "upsert"),
    }


def test_relations_that_get_one_name_are_all_kept(tmp_path: Path) -> None:
    tables = _tables(
        tmp_path, *(_relation(name, ("id",), ()) for name in ("public.Orders", "public.orders", "a.orders"))
    )
    assert {name: _sql(table).relation for name, table in tables.items()} == {
        "orders": None, "orders_2": "a.orders", "orders_3": "public.Orders",
    }  # fmt: skip


def test_what_cannot_be_carried_is_left_out_and_said(tmp_path: Path) -> None:
    twins = _relation("public.twins", ("id",), (), problem="columns 'id' and 'ID' are equal but for case")
    made = write_source(tmp_path, "shop", "shop_db", OWNER, [_relation("public.orders", ("id",), ()), twins])
    assert made.notes == ("public.twins is left out: columns 'id' and 'ID' are equal but for case",)
    assert not [path for path in made.files if "twins" in path.name]
    with pytest.raises(SpecError, match="None of these relations"):
        write_source(tmp_path, "more", "shop_db", OWNER, [twins])


def test_nothing_is_overwritten_and_names_are_checked(tmp_path: Path) -> None:
    relations = [_relation("public.orders", ("id",), ())]
    made = write_source(tmp_path, "shop", "shop_db", OWNER, relations)
    for path in made.files:
        path.write_text("mine")
        with pytest.raises(SpecError, match="already"):
            write_source(tmp_path, "shop", "shop_db", OWNER, relations)
        assert path.read_text() == "mine"
        path.unlink()
    with pytest.raises(SpecError, match="no name"):
        write_source(tmp_path, "../evil", "shop_db", OWNER, relations)
