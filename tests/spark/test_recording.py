"""A real Debezium recording of PostgreSQL, typed and untyped, gives the source's own rows at every checkpoint.

It holds key changes with cascades, TOAST placeholders, a truncation, added, dropped, renamed and widened columns, an
incremental snapshot, interleaved transactions, and what a killed worker sent again
(``tests/fixtures/postgres_inventory/README.md``).
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.spark.postgres_text import plain, seen, truth

from headwater.adapters.sources.debezium.decoder import ChangeDecoder
from headwater.adapters.sources.debezium.events import Change, RejectedChange, StreamRecord
from headwater.domain.names import Layer
from headwater.domain.spec import ColumnRule, Silver
from headwater_spark.tables.sql_text import spark_type

FOLDER = Path(__file__).parents[1] / "fixtures" / "postgres_inventory"
CHECKPOINTS = {"00_before_snapshot": 0, "01_steady": 49289376, "02_after_widening": 49735680, "03_final": 50975288}
"""Checkpoint -> LSN below which its events are; the first is the initial snapshot."""
RECORDINGS = {"untyped": "events.jsonl.gz", "typed": "events_typed.jsonl.gz"}
KEYS = {
    "customers": ("id",),
    "products": ("sku",),
    "orders": ("id",),
    "order_items": ("order_id", "line_no"),
    "audit": (),
}
TEXTS = dict.fromkeys(
    ("first_name", "last_name", "email", "status", "phone", "prefs", "tags", "state", "note", "remark", "ship_to"),
    "string",
) | dict.fromkeys(("name", "cost", "description", "attrs", "dims", "actor", "payload", "sku"), "string")
NUMBERS = {"big": "long", "customer_id": "long", "order_id": "long", "weight": "float", "vol": "double"}
TIMES = {"created_at": "timestamptz", "ordered_at": "timestamptz", "at": "timestamptz", "updated_at": "timestamp"}
PLAIN = dict.fromkeys(("id", "loyalty", "line_no", "qty", "sev"), "int") | {"is_vip": "boolean", "thumb": "binary"}
TYPES = TEXTS | NUMBERS | TIMES | PLAIN | dict.fromkeys(("birthday", "released"), "date")
TYPES |= {"credit": "decimal(12,2)", "price": "decimal(12,2)", "total": "decimal(14,4)", "unit_price": "decimal(14,4)"}
FORMS = {"untyped": {"maint": "long", "pack": "string"}, "typed": {"maint": "string", "pack": "long"}}
"""Types of columns whose form follows the connector's settings."""
COLUMNS = {
    "customers": "id first_name last_name email status phone created_at prefs tags credit birthday is_vip loyalty",
    "products": "sku name price cost weight vol description thumb attrs updated_at dims released maint pack",
    "orders": "id customer_id ordered_at state total note remark ship_to big",
    "order_items": "order_id line_no sku qty unit_price",
    "audit": "at actor payload sev",
}
RULES = {
    "customers": {"loyalty": ColumnRule(default=5, type="int")},
    "orders": {"remark": ColumnRule(renamed_from="note")},
}
IMPOSSIBLE = {"1", "2", "3"}
"""Customers that got a time no table can hold before the last checkpoint."""
APPROXIMATE = {("typed", "pack")}
"""Columns the connector itself rounds: an interval in microseconds has months of 30.4 days."""
ARRIVAL = 3
"""Chunks by order of arrival, so that what was sent again comes after newer events."""


def decoded(recording: str) -> tuple[dict[str, list[Change]], list[RejectedChange]]:
    """Table -> its changes in order of arrival, and what could not be read."""
    types = TYPES | FORMS[recording]
    decoders = {table: ChangeDecoder(types) for table in KEYS}
    found: dict[str, list[Change]] = defaultdict(list)
    rejected = []
    with gzip.open(FOLDER / RECORDINGS[recording], "rt") as lines:
        for line in lines:
            raw = json.loads(line)
            table = raw["topic"].rpartition(".")[2]
            if table in decoders and ".inv." in raw["topic"]:
                change = decoders[table].decode(
                    StreamRecord(
                        raw["topic"], raw["partition"], raw["offset"], raw["key"], raw["value"], raw["headers"]
                    )
                )
                if isinstance(change, RejectedChange):
                    rejected.append(change)
                elif change is not None:
                    found[table].append(change)
    return found, rejected


def checkpoint_of(change: Change) -> str:
    lsn = int(change.position.split("-")[2], 16)
    if change.op == "r" and lsn < CHECKPOINTS["01_steady"]:
        return "00_before_snapshot"
    return next(name for name, below in CHECKPOINTS.items() if lsn < below)


def row_of(change: Change) -> dict[str, Any]:
    marks = {"_hw_carried": list(change.carried), "_hw_unavailable": list(change.unavailable)}
    system = {"_hw_op": change.op, "_hw_position": change.position, "_hw_event_at": change.event_at}
    return {**change.values, **marks, **system, "_hw_old_key": change.old_key, "_hw_origin": change.origin}


@pytest.fixture(scope="module")
def replayed(shared_lake: Any) -> Any:
    """Checkpoint -> table -> rows of silver, published batch by batch; and what was rejected."""
    lake = shared_lake
    rejected: dict[str, list[RejectedChange]] = {}
    batches: dict[str, list[list[Change]]] = {}
    for recording in RECORDINGS:
        changes, rejected[recording] = decoded(recording)
        for table, every in changes.items():
            names = [checkpoint_of(change) for change in every]
            batches[f"{recording}_{table}"] = [
                [change for change, name in zip(every, names, strict=True) if name == checkpoint]
                for checkpoint in CHECKPOINTS
            ]
            if recording == "untyped" and KEYS[table]:
                size = len(every) // ARRIVAL + 1
                batches[f"arrival_{table}"] = [every[n * size : (n + 1) * size] for n in range(ARRIVAL)]
    found: dict[str, dict[str, list[Any]]] = {}
    for number, checkpoint in enumerate(CHECKPOINTS):
        due = {name: parts for name, parts in batches.items() if number < len(parts)}
        refined = lake.refine_all([refining(lake, name, number + 1, parts[number]) for name, parts in due.items()])
        assert [result.error for result in refined] == [None] * len(refined)
        found[checkpoint] = {name: silver_rows(lake, name) for name in batches}
    return found, rejected


def refining(lake: Any, name: str, batch: int, changes: list[Change]) -> Any:
    recording, _, table = name.partition("_")
    types = TYPES | FORMS["untyped" if recording == "arrival" else recording]
    columns = ", ".join(f"{column} {spark_type(types[column])}" for column in COLUMNS[table].split())
    form = {"mode": "cdc", "as": "scd2" if recording == "arrival" else "upsert"}
    spec = lake.spec("upsert", name=name).model_copy(
        update={"key": KEYS[table], "silver": Silver.model_validate(form), "columns": RULES.get(table, {})}
    )
    return lake.refine_spec(
        spec, lake.events(batch, columns, [row_of(change) for change in changes], name, changes=True)
    )


def silver_rows(lake: Any, name: str) -> list[Any]:
    current = "is_current" if name.startswith("arrival") else "NOT _hw_deleted"
    return [row.asDict() for row in lake.rows(lake.name(Layer.SILVER, name), current)]


def compared(rows: list[dict[str, Any]], checkpoint: str, table: str, recording: str) -> tuple[Any, Any]:
    """Rows of silver and of the truth, without those whose values no table can hold."""
    every = list(truth(FOLDER / "truth" / checkpoint / f"{table}.jsonl.gz"))
    types = {name: kind for name, kind in every[0][0].items() if (recording, name) not in APPROXIMATE}
    lost = recording == "typed"  # precise mode sends NULL for the NaN of a numeric
    expected = [
        {name: None if lost and is_nan(row[name], kind) else plain(row[name], kind) for name, kind in types.items()}
        for _, row in every
        if not impossible(table, checkpoint, row)
    ]
    got = [
        {name: seen(row["remark" if name == "note" else name], kind) for name, kind in types.items()}
        for row in rows
        if not impossible(table, checkpoint, row)
    ]
    return Counter(map(repr, got)), Counter(map(repr, expected))


def is_nan(text: str | None, kind: str) -> bool:
    return text == "NaN" and kind.startswith("numeric")


def impossible(table: str, checkpoint: str, row: Mapping[str, Any]) -> bool:
    """Whether the row has a time that no table can hold."""
    return table == "customers" and checkpoint == "03_final" and str(row["id"]) in IMPOSSIBLE


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
@pytest.mark.parametrize("table", KEYS)
@pytest.mark.parametrize("recording", RECORDINGS)
def test_every_checkpoint_is_the_sources_own_state(replayed: Any, recording: str, table: str, checkpoint: str) -> None:
    """Rules 26, 27, 33."""
    found, _ = replayed
    got, expected = compared(found[checkpoint][f"{recording}_{table}"], checkpoint, table, recording)
    assert got - expected == Counter()
    assert expected - got == Counter()
    assert expected


@pytest.mark.parametrize("table", [table for table, key in KEYS.items() if key])
def test_what_was_sent_again_later_changes_nothing(replayed: Any, table: str) -> None:
    """Rule 33: in order of arrival, as scd2; current rows are the final truth."""
    found, _ = replayed
    got, expected = compared(found["03_final"][f"arrival_{table}"], "03_final", table, "untyped")
    assert got == expected


def test_rows_no_table_can_hold_are_set_aside_with_their_key(replayed: Any) -> None:
    """Rule 40: infinity and years before Christ; a date infinity overflows in the connector itself."""
    _, rejected = replayed
    for recording in RECORDINGS:
        kinds = {(reject.rule, reject.key) for reject in rejected[recording]}
        assert kinds == {
            ("type of birthday", '{"id": 1}'),
            ("type of created_at", '{"id": 2}'),
            ("type of created_at", '{"id": 3}'),
        }
