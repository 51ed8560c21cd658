"""Debezium's events become rows of a bronze table of changes, or rejects; rules 26, 27, 33, 40."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater.adapters.sources.debezium.decoder import ChangeDecoder
from headwater.adapters.sources.debezium.events import Change, RejectedChange, StreamRecord

TOPIC = "p.inv.products"


def event(op: str, after: object, *, lsn: int | None = 100, commit: int | None = 90, **more: Any) -> str:
    sequence = json.dumps([None if commit is None else str(commit), str(lsn or 77)])
    source = {"lsn": lsn, "sequence": sequence, "snapshot": "false", "ts_ms": 1_000, **more.pop("source", {})}
    return json.dumps({"op": op, "before": None, "after": after, "source": source, **more})


def record(value: str | None, key: object = None, offset: int = 5, partition: int = 1, **headers: str) -> StreamRecord:
    named = [(name.replace("__debezium_", "__debezium."), text) for name, text in headers.items()]
    return StreamRecord(TOPIC, partition, offset, None if key is None else json.dumps(key), value, named)


def decoded(value: str | None, key: object = None, decoder: ChangeDecoder | None = None, **more: Any) -> Change:
    change = (decoder or ChangeDecoder()).decode(record(value, key, **more))
    assert isinstance(change, Change), change
    return change


def rejected(value: str | None, key: object = None, types: dict[str, str] | None = None) -> RejectedChange:
    reject = ChangeDecoder(types).decode(record(value, key))
    assert isinstance(reject, RejectedChange), reject
    return reject


def test_an_update_carries_what_it_tells_and_names_what_it_leaves_out() -> None:
    """TOAST: the placeholder of a text column, of a binary one in base64, of an array in a list."""
    base64_form = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
    after: dict[str, object] = {"sku": "a", "price": None, "text": "__debezium_unavailable_value", "photo": base64_form}
    after["dims"] = ["__debezium_unavailable_value"]
    change = decoded(event("u", after), {"sku": "a"}, ChangeDecoder({"photo": "binary"}))
    assert (change.op, dict(change.values)) == ("u", {"sku": "a", "price": None})
    assert (change.carried, change.unavailable) == (("sku", "price"), ("text", "photo", "dims"))


def test_a_text_that_only_looks_like_the_binary_placeholder_is_kept() -> None:
    value = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
    assert decoded(event("u", {"note": value})).values == {"note": value}


def test_a_deletion_carries_the_key_and_never_the_fabricated_image_before() -> None:
    change = decoded(event("d", None, before={"sku": "a", "qty": 0, "state": ""}), {"sku": "a"})
    assert (change.op, dict(change.values)) == ("d", {"sku": "a"})


def test_a_key_change_names_the_old_key_in_the_types_of_the_table() -> None:
    types = {"id": "long", "on": "date"}
    old = json.dumps({"id": 6, "on": 1})
    change = decoded(
        event("c", {"id": 157, "on": 2}), {"id": 157, "on": 2}, ChangeDecoder(types), __debezium_oldkey=old
    )
    assert change.old_key == '{"id": 6, "on": "1970-01-02"}'


def test_a_tombstone_after_its_deletion_is_no_row_and_one_alone_is_a_deletion_just_after_the_last_place() -> None:
    decoder = ChangeDecoder()
    deletion = decoded(event("d", None), {"sku": "a"}, decoder)
    assert decoder.decode(record(None, {"sku": "a"}, offset=6)) is None
    alone = decoded(None, {"sku": "b"}, decoder, offset=7)
    assert (alone.op, dict(alone.values)) == ("d", {"sku": "b"})
    assert alone.position > deletion.position
    assert rejected(None, {"sku": "a"}).rule == "position is known"


def test_positions_follow_commits_and_are_the_same_when_an_event_comes_again() -> None:
    """LSNs of interleaved transactions step back; the commit before them does not."""
    early = decoded(event("u", {"a": 1}, commit=90, lsn=300))
    late = decoded(event("u", {"a": 1}, commit=310, lsn=200))
    again = decoded(event("u", {"a": 1}, commit=310, lsn=200), offset=99, partition=0)
    assert early.position < late.position == again.position
    assert decoded(event("u", {}), None, ChangeDecoder(epoch=1)).position > late.position


def test_rows_of_a_snapshot_are_told_apart_and_come_before_what_follows() -> None:
    snapshot = {"snapshot": "true"}
    rows = [
        decoded(event("r", {"a": 1}, commit=None, source=snapshot), offset=n, partition=p) for n, p in ((1, 0), (1, 1))
    ]
    first = decoded(event("u", {"a": 1}, commit=None, lsn=101))
    assert rows[0].position < rows[1].position < first.position


def test_a_row_of_an_incremental_snapshot_stands_at_the_last_place_that_was_seen() -> None:
    incremental = {"snapshot": "incremental"}
    told = decoded(event("r", {"a": 1}, lsn=None, source=incremental))
    assert told.position.split("-")[1:3] == [f"{90:016x}", f"{77:016x}"]
    decoder = ChangeDecoder()
    before = decoded(event("u", {"a": 1}), None, decoder)
    silent = event("r", {"a": 1}, lsn=None, source={**incremental, "sequence": None})
    assert before.position < decoded(silent, None, decoder).position < decoded(event("u", {}, lsn=101)).position
    assert rejected(silent).rule == "position is known"


def test_a_truncation_has_no_row() -> None:
    change = decoded(event("t", None))
    assert (change.op, dict(change.values), change.carried) == ("t", {}, ())


def test_logical_messages_are_no_rows() -> None:
    assert ChangeDecoder().decode(record(event("m", None))) is None


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("{", "event is readable"),
        ("[]", "event is readable"),
        ('{"status": "BEGIN"}', "event is readable"),
        (event("x", {}), "event is readable"),
        (event("u", None), "event is readable"),
        (event("u", {"n": "x"}), "type of n"),
        (event("u", {"n": True}), "type of n"),
        (event("u", {"n": 2**31}), "type of n"),
    ],
)
def test_what_cannot_be_read_is_a_reject_with_its_payload(value: str, rule: str) -> None:
    reject = rejected(value, {"sku": "a"}, {"n": "int"})
    assert (reject.rule, reject.payload, reject.key) == (rule, value, '{"sku": "a"}')
    assert reject.origin == "p.inv.products/1@5"


def test_schemas_give_the_types() -> None:
    fields = [
        {"field": "price", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal"}
        | {"parameters": {"scale": "2", "connect.decimal.precision": "12"}},
        {"field": "at", "type": "int64", "name": "io.debezium.time.MicroTime"},
    ]
    schema = {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": fields}]}
    payload = json.loads(event("u", {"price": "AZA=", "at": 3_600_000_001}))
    change = decoded(json.dumps({"schema": schema, "payload": payload}))
    assert {name: str(value) for name, value in change.values.items()} == {"price": "4.00", "at": "01:00:00.000001"}
