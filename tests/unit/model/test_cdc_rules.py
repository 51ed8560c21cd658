"""What the words of a stream of changes may be combined with."""

from __future__ import annotations

import pytest

from headwater.domain.spec import ColumnRule, Silver, SqlExtract, TableSpec
from headwater.model import cdc_rules
from headwater.model.cdc_rules import cdc_findings


def table(columns: dict[str, ColumnRule] | None = None, **silver: object) -> TableSpec:
    extract = SqlExtract(mode="snapshot")
    return TableSpec(name="t", key=("k",), extract=extract, silver=Silver.model_validate(silver), columns=columns or {})


def test_no_extract_of_this_version_delivers_changes() -> None:
    (path, message, *_), *rest = cdc_findings(table(mode="cdc"))
    assert (path, message, rest) == (("silver", "mode"), "an extract of kind sql delivers no changes", [])


@pytest.mark.parametrize(
    ("silver", "columns", "path"),
    [
        ({"mode": "upsert", "as": "upsert"}, {}, ("silver", "as")),
        ({"mode": "cdc", "sequence_by": "u"}, {}, ("silver", "sequence_by")),
        ({"mode": "cdc", "as": "scd2", "valid_from": "u"}, {}, ("silver", "valid_from")),
        ({"mode": "upsert"}, {"a": ColumnRule(renamed_from="b")}, ("columns", "a", "renamed_from")),
        ({"mode": "cdc"}, {"a": ColumnRule(renamed_from="a")}, ("columns", "a", "renamed_from")),
        (
            {"mode": "cdc"},
            {"a": ColumnRule(renamed_from="b"), "b": ColumnRule(type="int")},
            ("columns", "a", "renamed_from"),
        ),
        (
            {"mode": "cdc"},
            {"a": ColumnRule(renamed_from="b", expression="upper(a)")},
            ("columns", "a", "renamed_from"),
        ),
        ({"mode": "upsert"}, {"a": ColumnRule(default=1, expression="a + 1")}, ("columns", "a", "default")),
    ],
)
def test_words_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, silver: dict[str, object], columns: dict[str, ColumnRule], path: tuple[str, ...]
) -> None:
    monkeypatch.setattr(cdc_rules, "CHANGE_EXTRACTS", frozenset({"sql"}))
    assert [finding[0] for finding in cdc_findings(table(columns, **silver))] == [path]


def test_a_history_of_changes_needs_a_key_and_a_current_state_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdc_rules, "CHANGE_EXTRACTS", frozenset({"sql"}))
    keyless = table(mode="cdc").model_copy(update={"key": ()})
    history = keyless.model_copy(update={"silver": Silver.model_validate({"mode": "cdc", "as": "scd2"})})
    assert list(cdc_findings(keyless)) == []
    assert [finding[0] for finding in cdc_findings(history)] == [("key",)]


def test_silver_reads_back_what_a_stored_spec_holds() -> None:
    """Rule 4: the stored plan has the field's own name, the YAML the word ``as``."""
    silver = Silver.model_validate({"mode": "cdc", "as": "scd2"})
    assert Silver.model_validate(silver.model_dump(mode="json")) == silver
    assert silver.form == "scd2"
