"""A change that a table bears reaches its owner and DataHub, by the real stores of an installation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from tests.bad_input.bad_input import WrongData
from tests.bad_input.shop import Shop
from tests.chain.stage import context

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.platform import LocalPlatform
from headwater.services.stages import lineage

RUNBOOKS = Path(__file__).parents[2] / "include" / "runbooks"
MADE = ("create table orders (id int primary key, note text)", "insert into orders values (1, 'a')")
EXTRACT = "{mode: snapshot}\n    drift: quarantine\n    owner: {team: orders-data, email: [orders@example.com]}"


@pytest.fixture
def shop(postgres_server: EmbeddedPostgres, tmp_path: Path) -> Shop:
    shop = Shop(tmp_path, postgres_server)
    shop.declare(WrongData("", "a drift", MADE, extract=EXTRACT))
    shutil.copytree(RUNBOOKS, shop.repository / "include" / "runbooks")
    return shop


def test_a_change_that_is_borne_is_a_note_to_the_owner_and_a_property_in_datahub(shop: Shop) -> None:
    assert shop.run(uuid4().hex).code is None
    shop.source(("alter table orders add extra text", "insert into orders values (2, 'b', 'x')"))
    met = [shop.run(uuid4().hex) for _ in range(2)]
    assert [item.code for item in met] == [None, None]
    platform = LocalPlatform(shop.settings)
    try:
        [note] = platform.incidents.list()
        assert (note.kind, note.cause, note.status, note.count) == ("notice", "schema_changed", "open", 2)
        assert note.title == "bronze.shop.orders: column extra of type text is left out"
        assert note.owner.team == "orders-data"
        assert any("quarantine.shop.orders" in (step.command or "") for step in note.steps)
        lineage.run(platform, context(platform, "shop", met[-1].run.run_key.run_id), ())
    finally:
        platform.close()
    [events] = [
        path.read_text() for path in Path(shop.settings.home).rglob("*.json") if "urn:li:dataset" in path.read_text()
    ]
    told = [text for text in _texts(json.loads(events)) if text.endswith("column extra of type text is left out")]
    assert told


def _texts(document: object) -> list[str]:
    """Every text in a JSON document, those of patches within texts included."""
    if isinstance(document, dict):
        return [text for value in document.values() for text in _texts(value)]
    if isinstance(document, list):
        return [text for value in document for text in _texts(value)]
    if isinstance(document, str) and document.startswith(("[", "{")):
        return _texts(json.loads(document))
    return [document] if isinstance(document, str) else []
