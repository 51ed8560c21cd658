"""What refine stages in each mode, one branch and one commit at a time."""

from __future__ import annotations

from typing import Any

from headwater.domain.names import Layer
from headwater.domain.spec import ColumnRule
from headwater.domain.staging import branch_of

COLUMNS = "k bigint, v string, u timestamp"


def row(k: int | None, v: str, day: int) -> str:
    return f"{'NULL' if k is None else k}, '{v}', TIMESTAMP '2026-01-{day:02d} 00:00:00Z'"


def test_upsert_keeps_the_greatest_sequence_and_leaves_main_alone(lake: Any) -> None:
    """Rules 10, 11, 27: one commit on the attempt's branch; a stale event changes nothing."""
    spec = lake.spec("upsert", sequence_by="u")
    first = lake.refine(spec, lake.bronze(1, COLUMNS, [row(1, "a", 5), row(1, "old", 4), row(2, "b", 5)]))
    silver = lake.name(Layer.SILVER)
    source = lake.bronze(2, COLUMNS, [row(1, "stale", 3), row(2, "b2", 6), row(3, "c", 6)])
    job = lake.job("refine", 2, refine=(lake.refine_spec(spec, source),))
    before = lake.head(silver)
    second = lake.run(job).tables[0]
    assert (first.rows_inserted, second.rows_inserted, second.rows_updated) == (2, 1, 1)
    assert lake.head(silver) == before
    assert second.staged.branch == branch_of(job.attempt)
    snapshots = lake.spark.sql(f"SELECT * FROM {silver.iceberg}.snapshots WHERE parent_id = {before}").collect()
    assert [(s.snapshot_id, s.summary["headwater.run-key"]) for s in snapshots] == [(second.staged.staged, job.run_key)]
    lake.publish(second.staged)
    lake.refined["t"] = 2
    assert [(r.k, r.v) for r in lake.rows(silver, order="k")] == [(1, "a"), (2, "b2"), (3, "c")]

    # a batch that changes no row is a snapshot all the same: publish moves the table's state by it
    quiet = lake.refine(spec, lake.bronze(3, COLUMNS, []))
    assert (quiet.status, quiet.rows_inserted, quiet.rows_updated, quiet.rows_deleted) == ("staged", 0, 0, 0)
    assert quiet.staged.base == second.staged.staged != quiet.staged.staged


def test_broken_rows_go_to_quarantine_with_every_rule_they_broke(lake: Any) -> None:
    """Rule 40: rules are judged on silver's columns; NULL breaks none; a row without a key cannot go on."""
    spec = lake.spec("upsert").model_copy(update={"columns": {"v": ColumnRule(rename="n", type="int")}})
    rows = [row(1, "7", 1), row(2, "x", 1), row(3, "-1", 1), row(None, "-2", 1)]
    result = lake.refine(spec, lake.bronze(1, COLUMNS, rows), {"n is positive": "n < 0"})
    assert [(r.k, r.n) for r in lake.rows(lake.name(Layer.SILVER))] == [(1, 7)]
    aside = lake.rows(lake.name(Layer.QUARANTINE), order="_hw_position")
    assert [(r._hw_rules, r._hw_key) for r in aside] == [
        ("type of n", '{"k":2}'),
        ("n is positive", '{"k":3}'),
        ("key is missing,n is positive", None),
    ]
    assert (result.rows_read, result.staged.quarantined, result.quarantine.rows) == (4, 3, 3)


def test_append_drops_redeliveries_and_sets_contradictions_aside(lake: Any) -> None:
    """Rule 34."""
    spec = lake.spec("append")
    lake.refine(spec, lake.bronze(1, COLUMNS, [row(1, "a", 1), row(1, "a", 1), row(2, "b", 1), row(2, "other", 1)]))
    result = lake.refine(spec, lake.bronze(2, COLUMNS, [row(1, "a", 1), row(2, "third", 1), row(3, "c", 1)]))
    assert [(r.k, r.v) for r in lake.rows(lake.name(Layer.SILVER), order="k")] == [(1, "a"), (2, "b"), (3, "c")]
    aside = lake.rows(lake.name(Layer.QUARANTINE), order="_hw_position")
    assert ['"other"' in r._hw_payload or '"third"' in r._hw_payload for r in aside] == [True, True]
    assert (result.rows_inserted, result.staged.quarantined) == (1, 1)


def test_full_extracts_are_compared_one_after_the_other(lake: Any) -> None:
    """Rule 31: two pending extracts; a key that left in the first and came back in the second has a gap."""
    spec = lake.spec("scd2", extract="snapshot")
    columns = "k bigint, v string"
    lake.refine(spec, lake.bronze(1, columns, ["1, 'a'", "2, 'b'", "3, 'c'"]))
    lake.bronze(2, columns, ["1, 'a'", "3, 'c2'"])
    result = lake.refine(spec, lake.bronze(3, columns, ["1, 'a'", "2, 'b'", "3, 'c2'"]))
    assert result.status == "staged", result.error
    silver = lake.name(Layer.SILVER)
    found = [
        (r.k, r.v, r.valid_from.day, r.valid_to and r.valid_to.day, r.is_current)
        for r in lake.rows(silver, "NOT _hw_deleted AND batch_out IS NULL", "k, valid_from")
    ]
    assert found == [
        (1, "a", 2, None, True),
        (2, "b", 2, 3, False),
        (2, "b", 4, None, True),
        (3, "c", 2, 3, False),
        (3, "c2", 3, None, True),
    ]


def test_an_extract_that_lost_too_much_stops(lake: Any) -> None:
    """Rule 32: every table had twenty rows."""
    left = {"emptied": (0, "is empty"), "reduced": (8, "deletes 12 of 20 rows"), "ten_gone": (10, None)}
    for batch in (1, 2):
        tables = []
        for name, (rows, _) in left.items():
            values = [f"{k}, 'v'" for k in range(20 if batch == 1 else rows)]
            spec = lake.spec("upsert", extract="snapshot", name=name)
            tables.append(lake.refine_spec(spec, lake.bronze(batch, "k bigint, v string", values, name)))
        results = lake.refine_all(tables)
    for result, (_, what) in zip(results, left.values(), strict=True):
        if what is None:
            assert (result.status, result.rows_deleted) == ("staged", 10)
        else:
            assert (result.status, result.error_code) == ("failed", "extract_shrunk")
            assert what in result.error_line


def test_what_the_next_extract_brings_back_was_never_lost(lake: Any) -> None:
    """Rule 32: of three extracts the second lost twelve of twenty rows, or all; the third has all but some again."""
    columns, left = "k bigint, v string", {"healed": (8, 19, 1), "refilled": (0, 20, 0), "half": (0, 8, None)}
    for batch in (1, 2, 3):
        tables = []
        for name, (second, third, _) in left.items():
            values = [f"{k}, 'v'" for k in range((20, second, third)[batch - 1])]
            spec = lake.spec("upsert", extract="snapshot", name=name)
            tables.append(lake.refine_spec(spec, lake.bronze(batch, columns, values, name)))
        results = lake.refine_all(tables) if batch != 2 else ()
        if batch == 1:
            assert {result.status for result in results} == {"staged"}
    for result, (name, (_, third, gone)) in zip(results, left.items(), strict=True):
        if gone is None:
            assert (result.error_code, result.facts["batch"], result.facts["count"]) == ("extract_shrunk", "2", "12")
            missing = f'SELECT "k" FROM {lake.name(Layer.BRONZE, name).dotted} WHERE _hw_batch ='
            assert result.facts["missing_sql"] == f"{missing} 1 EXCEPT {missing} 2"
        else:
            assert result.status == "staged", result.error
            assert len(lake.rows(lake.name(Layer.SILVER, name), "NOT _hw_deleted", "k")) == third


def test_rows_that_extraction_rejected_are_not_deleted(lake: Any) -> None:
    """Rule 32: a rejected key counts as present until bronze sees it again; without a key nothing is deleted."""
    columns, spec = "k bigint, v string", lake.spec("upsert", extract="snapshot")
    aside = lake.name(Layer.QUARANTINE)
    lake.filled(aside, "_hw_table string, _hw_key string, _hw_batch bigint", [])
    bronze, silver = lake.name(Layer.BRONZE), lake.name(Layer.SILVER)

    def extracted(batch: int, keys: list[int], rejected: str | None = None) -> Any:
        if rejected:
            values = f"('{bronze.dotted}', {rejected}, {batch})"
            lake.spark.sql(f"INSERT INTO {aside.iceberg} VALUES {values}").collect()
        return lake.bronze(batch, columns, [f"{k}, 'v'" for k in keys])

    def refined(source: Any) -> list[int]:
        result = lake.refine(spec, source)
        assert result.status == "staged", result.error
        return [row.k for row in lake.rows(silver, "NOT _hw_deleted", "k")]

    extracted(1, [1, 2, 3, 4])
    extracted(2, [1, 3], """'{"k" : 2}'""")
    assert refined(extracted(3, [1], "NULL")) == [1, 2, 3]
    # the same row rejected again is in the quarantine once
    assert refined(extracted(4, [1, 3])) == [1, 2, 3]
    extracted(5, [1, 2, 3])
    assert refined(extracted(6, [1, 3])) == [1, 3]


def test_one_failing_table_names_its_column_and_stops_no_other(lake: Any) -> None:
    """And silver SQL keeps each row in its place."""
    rows = [row(1, "a", 1), row(2, "drop", 1)]
    sql = f"SELECT b.k, upper(b.v) AS v\nFROM bronze.{lake.source}.t AS b\nWHERE b.v <> 'drop'"
    good = lake.spec("upsert").model_copy(update={"sql": sql})
    bad = lake.spec("upsert", name="bad")
    bad = bad.model_copy(update={"columns": {"v": ColumnRule(expression="upper(vv)")}})
    tables = [lake.refine_spec(spec, lake.bronze(1, COLUMNS, rows, spec.name)) for spec in (good, bad)]

    fine, failed = lake.refine_all(tables)

    assert (failed.status, failed.error_code, failed.facts["column"]) == ("failed", "transform_failed", "vv")
    assert fine.status == "staged", fine.error
    assert [(r.k, r.v, r._hw_batch) for r in lake.rows(lake.name(Layer.SILVER), "NOT _hw_deleted")] == [(1, "A", 1)]


def test_rows_that_the_silver_sql_leaves_out_are_not_or_no_longer_of_the_table(lake: Any) -> None:
    """And an event that is older than the one left out does not bring its key back (rule 33)."""
    sql = f"SELECT b.k, b.v, b.u\nFROM bronze.{lake.source}.t AS b\nWHERE b.v <> 'drop'"
    spec = lake.spec("upsert", sequence_by="u").model_copy(update={"sql": sql})
    lake.refine(spec, lake.bronze(1, COLUMNS, [row(1, "a", 1), row(2, "drop", 5), row(3, "c", 1), row(4, "d", 1)]))
    later = [row(1, "drop", 2), row(2, "late", 4), row(3, "c", 2), row(None, "x", 1)]
    result = lake.refine(spec, lake.bronze(2, COLUMNS, later))
    assert result.error is None
    assert [(r.k, r.v) for r in lake.rows(lake.name(Layer.SILVER), "NOT _hw_deleted", "k")] == [(3, "c"), (4, "d")]
    assert (result.rows_deleted, result.quarantine.rows) == (1, 1)
