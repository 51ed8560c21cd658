"""Facts of a run: which tables, which columns come from which, what the run did to them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.domain.errors import NotFoundError
from headwater.domain.lineage import ColumnLineage, DatasetFacts, RunFacts, SourcePlace
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.run import RunKey, RunKind, RunPlan
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, Column, TableSchema
from headwater.domain.spec import (
    ColumnRule,
    FilesExtract,
    GoldSpec,
    Owner,
    ProductSpec,
    Schedule,
    Silver,
    SourceSpec,
    SqlExtract,
    TableSpec,
)
from headwater.domain.staging import StagedTable, TableState, Verdict
from headwater.model.sql_lineage import column_lineage
from headwater.services.lineage_datasets import pipeline_datasets
from headwater.services.lineage_facts import RunOutcome, build_run_facts
from headwater.services.lineage_tree import ColumnLink, lineage_tree

OWNER = Owner(team="aviation-data")
NOW = datetime(2013, 2, 1, tzinfo=UTC)


def name(text: str) -> TableName:
    return TableName.parse(text)


def schema(*columns: str) -> TableSchema:
    return TableSchema(columns=tuple(Column(name=column, type="string") for column in columns))


PLANES = TableSpec(
    name="planes",
    description="Planes by tail number.",
    key=("tailnum",),
    extract=SqlExtract(relation="fleet.planes"),
    silver=Silver(mode="scd2", sequence_by="registered"),
    columns={
        "tailnum": ColumnRule(expression="upper(trim(tailnum))", description="As painted."),
        "owner_mail": ColumnRule(rename="contact", classification="pii"),
        "registered_at": ColumnRule(rename="registered"),
        "label": ColumnRule(expression="concat(tailnum, ' ', model)"),
    },
)
AIRPORTS = TableSpec(
    name="airports",
    extract=SqlExtract(),
    silver=Silver(mode="upsert"),
    columns={"mail": ColumnRule(classification="pii")},
    sql="SELECT faa, lower(mail) AS address FROM bronze.flights.airports",
)
FLEET = GoldSpec(
    name="fleet",
    grain=("model",),
    sql="""
        WITH counted AS (
          SELECT p.model, p.tailnum, a.faa, row_number() OVER (PARTITION BY p.model ORDER BY p.registered) AS place
          FROM silver.flights.planes AS p JOIN silver.flights.airports AS a ON a.faa = p.contact
        )
        SELECT model, CASE WHEN place = 1 THEN tailnum ELSE faa END AS first, place FROM counted
    """,
    inputs=(name("silver.flights.planes"), name("silver.flights.airports")),
)
SOURCE = SourceSpec(
    name="flights",
    file="dags/sources/flights.yaml",
    description="Departures.",
    owner=OWNER,
    domain="operations",
    schedule=Schedule(manual=True),
    connection="flights_db",
    tables=(PLANES, AIRPORTS),
    gold=(FLEET,),
)
SCHEMAS = {
    "bronze.flights.planes": TableSchema(
        columns=(*schema("tailnum", "model", "owner_mail", "registered_at").columns, *BRONZE_SYSTEM_COLUMNS)
    ),
    "bronze.flights.airports": schema("faa", "mail", "_hw_batch"),
    "silver.flights.planes": schema("tailnum", "model", "contact", "registered", "label", "valid_from", "valid_to"),
    "silver.flights.airports": schema("faa", "address"),
    "gold.flights.fleet": schema("model", "first", "place"),
}


@pytest.fixture
def datasets() -> dict[str, DatasetFacts]:
    return {item.table.dotted: item for item in pipeline_datasets(SOURCE, SCHEMAS, column_lineage)}


def inputs(dataset: DatasetFacts) -> dict[str, set[str]]:
    return {column.column: {f"{table}/{source}" for table, source in column.inputs} for column in dataset.columns}


def test_bronze_columns_come_from_the_relation_and_system_columns_from_nowhere(
    datasets: dict[str, DatasetFacts],
) -> None:
    bronze = datasets["bronze.flights.planes"]
    assert bronze.upstreams == ("source:flights_db:fleet.planes",)
    assert set(inputs(bronze)) == {"tailnum", "model", "owner_mail", "registered_at"}
    assert inputs(bronze)["model"] == {"source:flights_db:fleet.planes/model"}
    assert datasets["bronze.flights.airports"].upstreams == ("source:flights_db:public.airports",)


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


def state() -> TableState:
    return TableState(run_key="i/flights/r1", spec_hash="s")


def released(table: str, snapshot_id: int, rows: int | None, *, moved: bool = True) -> ReleasedTable:
    return ReleasedTable(table=name(table), snapshot_id=snapshot_id, metadata_location="m", rows=rows, moved=moved)


def release(release_id: str, kind: str, *tables: ReleasedTable) -> Release:
    return Release.model_validate(
        {
            "id": release_id,
            "run_key": "i/flights/r1",
            "pipeline": "flights",
            "kind": kind,
            "status": "published",
            "created_at": NOW,
            "tables": tables,
        }
    )


@pytest.fixture
def facts() -> RunFacts:
    """Bronze and silver planes were published, silver airports is held, gold was not built."""
    plan = RunPlan(
        run_key=RunKey(installation="i", dag_id="flights", run_id="r1"),
        kind=RunKind.SCHEDULED,
        planned_at=NOW,
        spec_hash="s",
    )
    verdict = Verdict(
        table=name("silver.flights.airports"),
        snapshot_id=40,
        contract_hash="c",
        passed=False,
        reason="faa is doubled",
        checks_declared=1,
    )
    held = StagedTable(table=verdict.table, attempt="a", branch="hw_a", base=None, staged=40, state=state(), rows=5)
    outcome = RunOutcome(
        state="failed",
        ended_at=NOW,
        releases=(
            release("r-1", "bronze", released("bronze.flights.planes", 10, 7)),
            release(
                "r-2",
                "audited",
                released("silver.flights.planes", 20, 100),
                released("gold.flights.fleet", 30, 3, moved=False),
            ),
        ),
        staged=(held,),
        verdicts=(verdict.model_copy(update={"snapshot_id": 39, "reason": "of another attempt"}), verdict),
        schemas=SCHEMAS,
        sources={"flights_db": SourcePlace(platform="postgres", database="aviation")},
    )
    return build_run_facts(SOURCE, plan, outcome, column_lineage)


def dataset(facts: RunFacts, table: str) -> DatasetFacts:
    (found,) = [item for item in facts.datasets if item.table.dotted == table]
    return found


def test_a_published_table_moved_and_has_its_rows(facts: RunFacts) -> None:
    silver = dataset(facts, "silver.flights.planes")
    assert (silver.moved, silver.snapshot_id, silver.rows) == (True, 20, 100)
    assert facts.release == "r-2"


def test_bronze_counts_what_was_added_not_what_the_table_holds(facts: RunFacts) -> None:
    bronze = dataset(facts, "bronze.flights.planes")
    assert (bronze.rows, bronze.rows_added) == (None, 7)


def test_a_held_table_did_not_move_and_tells_the_verdict_of_its_own_snapshot(facts: RunFacts) -> None:
    silver = dataset(facts, "silver.flights.airports")
    assert (silver.moved, silver.snapshot_id, silver.rows) == (False, 40, None)
    assert silver.verdict is not None
    assert silver.verdict.reason == "faa is doubled"


def test_a_table_the_release_only_carried_along_did_not_move(facts: RunFacts) -> None:
    gold = dataset(facts, "gold.flights.fleet")
    assert (gold.moved, gold.snapshot_id, gold.verdict) == (False, None, None)


def test_a_table_that_does_not_exist_yet_is_left_out(facts: RunFacts) -> None:
    plan = RunPlan(
        run_key=RunKey(installation="i", dag_id="flights", run_id="r1"),
        kind=RunKind.SCHEDULED,
        planned_at=NOW,
        spec_hash="s",
    )
    schemas = {"bronze.flights.planes": SCHEMAS["bronze.flights.planes"]}
    outcome = RunOutcome(state="failed", ended_at=NOW, schemas=schemas)
    early = build_run_facts(SOURCE, plan, outcome, column_lineage)
    assert [item.table.dotted for item in early.datasets] == ["bronze.flights.planes"]
    assert early.release is None
    assert len(facts.datasets) == 5


def test_a_source_says_what_its_connection_leads_to(facts: RunFacts) -> None:
    assert facts.sources == {"flights_db": SourcePlace(platform="postgres", database="aviation")}
    weather = TableSpec(
        name="observations",
        extract=FilesExtract(path="weather/*.csv", columns={"origin": "string"}),
        silver=Silver(mode="append"),
    )
    landing = SOURCE.model_copy(update={"connection": "landing", "tables": (weather,), "gold": ()})
    plan = RunPlan(
        run_key=RunKey(installation="i", dag_id="weather", run_id="r"),
        kind=RunKind.SCHEDULED,
        planned_at=NOW,
        spec_hash="s",
    )
    told = build_run_facts(landing, plan, RunOutcome(state="success", ended_at=NOW), column_lineage)
    assert told.sources == {"landing": SourcePlace(platform="file")}
    (bronze, _) = pipeline_datasets(landing, {}, column_lineage)
    assert bronze.upstreams == ("source:landing:weather/*.csv",)


PRODUCT = ProductSpec(
    name="delays",
    file="dags/products/delays.yaml",
    description="Delays.",
    owner=OWNER,
    schedule=Schedule(manual=True),
    gold=(
        GoldSpec(
            name="by_model",
            grain=("model",),
            sql="SELECT model AS kind FROM gold.flights.fleet",
            inputs=(name("gold.flights.fleet"),),
        ),
    ),
)


def test_the_tree_reaches_from_the_source_to_other_pipelines() -> None:
    everything = [
        *pipeline_datasets(SOURCE, SCHEMAS, column_lineage),
        *pipeline_datasets(PRODUCT, SCHEMAS, column_lineage),
    ]
    tree = lineage_tree(everything, "silver.flights.planes")
    (bronze,) = tree.upstreams
    assert bronze.name == "bronze.flights.planes"
    assert [node.name for node in bronze.nodes] == ["source:flights_db:fleet.planes"]
    assert ColumnLink(source="owner_mail", target="contact") in bronze.links
    (gold,) = tree.downstreams
    assert gold.name == "gold.flights.fleet"
    assert "tailnum" in [link.source for link in gold.links if link.target == "first"]
    assert [node.name for node in gold.nodes] == ["gold.delays.by_model"]
    assert gold.nodes[0].links == (ColumnLink(source="model", target="kind", transformation="model"),)


def test_a_source_relation_has_a_tree_too() -> None:
    tree = lineage_tree(pipeline_datasets(SOURCE, SCHEMAS, column_lineage), "source:flights_db:fleet.planes")
    assert tree.upstreams == ()
    assert [node.name for node in tree.downstreams] == ["bronze.flights.planes"]


def test_a_misspelt_table_names_its_neighbours() -> None:
    with pytest.raises(NotFoundError) as caught:
        lineage_tree(pipeline_datasets(SOURCE, SCHEMAS, column_lineage), "silver.flights.plane")
    assert caught.value.allowed is not None
    assert caught.value.allowed.startswith("silver.flights.planes")


def test_a_circle_of_tables_ends_the_tree() -> None:
    def looped(table: str, upstream: str) -> DatasetFacts:
        return DatasetFacts(
            table=TableName(layer=Layer.GOLD, source="loop", table=table),
            description=None,
            owner=OWNER,
            domain=None,
            schema_=schema("x"),
            upstreams=(upstream,),
            columns=(ColumnLineage(column="x", inputs=((upstream, "x"),)),),
        )

    tree = lineage_tree([looped("a", "gold.loop.b"), looped("b", "gold.loop.a")], "gold.loop.a")
    assert [node.name for node in tree.upstreams] == ["gold.loop.b"]
    assert tree.upstreams[0].nodes == ()
