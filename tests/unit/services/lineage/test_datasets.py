"""Which columns come from which: bronze from the source, silver by renames and SQL, gold by its SELECT."""

from __future__ import annotations

import pytest

from headwater.domain.lineage import DatasetFacts
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SourceSpec
from headwater.model.sql.lineage import column_lineage
from headwater.services.lineage.datasets import pipeline_datasets


@pytest.fixture
def datasets(source: SourceSpec, schemas: dict[str, TableSchema]) -> dict[str, DatasetFacts]:
    return {item.table.dotted: item for item in pipeline_datasets(source, schemas, column_lineage)}


def inputs(dataset: DatasetFacts) -> dict[str, set[str]]:
    return {column.column: {f"{table}/{source}" for table, source in column.inputs} for column in dataset.columns}


def test_bronze_columns_come_from_the_relation_and_system_columns_from_nowhere(
    datasets: dict[str, DatasetFacts],
) -> None:
    bronze = datasets["bronze.flights.planes"]
    assert bronze.upstreams == ("source:flights_db:fleet.planes",)
    assert set(inputs(bronze)) == {"tailnum", "model", "owner_mail", "registered_at"}
    assert inputs(bronze)["model"] == {"source:flights_db:fleet.planes/model"}
    assert datasets["bronze.flights.airports"].upstreams == ("source:flights_db:airports",)


def test_silver_columns_follow_renames_and_expressions(datasets: dict[str, DatasetFacts]) -> None:
    silver = datasets["silver.flights.planes"]
    bronze = "bronze.flights.planes"
    assert inputs(silver) == {
        "tailnum": {f"{bronze}/tailnum"},
        "model": {f"{bronze}/model"},
        "contact": {f"{bronze}/owner_mail"},
        "registered": {f"{bronze}/registered_at"},
        "label": {f"{bronze}/tailnum", f"{bronze}/model"},
        "valid_from": {f"{bronze}/registered_at"},
        "valid_to": {f"{bronze}/registered_at"},
    }
    words = {column.column: column.transformation for column in silver.columns}
    assert (words["tailnum"], words["model"], words["contact"]) == ("upper(trim(tailnum))", "", "")


def test_silver_sql_is_read_where_there_is_some(datasets: dict[str, DatasetFacts]) -> None:
    silver = datasets["silver.flights.airports"]
    assert inputs(silver) == {"faa": {"bronze.flights.airports/faa"}, "address": {"bronze.flights.airports/mail"}}


def test_gold_columns_are_followed_through_case_join_and_window(datasets: dict[str, DatasetFacts]) -> None:
    planes, airports = "silver.flights.planes", "silver.flights.airports"
    gold = datasets["gold.flights.fleet"]
    assert gold.upstreams == (planes, airports)
    window = {f"{planes}/model", f"{planes}/registered"}
    assert inputs(gold) == {
        "model": {f"{planes}/model"},
        "first": {f"{planes}/tailnum", f"{airports}/faa", *window},
        "place": window,
    }


def test_a_classified_column_stays_classified_under_its_new_name(datasets: dict[str, DatasetFacts]) -> None:
    assert datasets["bronze.flights.planes"].classifications == {"owner_mail": "pii"}
    assert datasets["silver.flights.planes"].classifications == {"contact": "pii"}
    assert datasets["silver.flights.airports"].classifications == {"address": "pii"}


def test_the_yamls_words_describe_the_live_columns(datasets: dict[str, DatasetFacts]) -> None:
    silver = datasets["silver.flights.planes"].schema_
    assert silver.primary_key == ("tailnum",)
    column = silver.column("tailnum")
    assert column is not None
    assert column.doc == "As painted."
