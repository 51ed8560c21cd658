"""The REST emitter over a real socket: nothing lost, nothing out of order, and the run never waits long."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from headwater.adapters.datahub.event_file import read_events
from headwater.adapters.datahub.metadata_events import metadata_events
from headwater.adapters.datahub.rest_emitter import DataHubLineageEmitter
from headwater.adapters.datahub.spool import EventSpool
from headwater.domain.lineage import RunFacts

Connect = Callable[..., Any]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "lineage_spool"


def emitter(connections: Any, spool: Path, patience_seconds: float = 15) -> DataHubLineageEmitter:
    return DataHubLineageEmitter(connections, "datahub", spool, patience_seconds)


def test_a_run_arrives_whole_and_nothing_stays_behind(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    line = emitter(connections(), spool).emit(run_facts)
    events = metadata_events(run_facts)
    assert line == f"lineage: {len(events)} metadata events sent to DataHub"
    assert gms.store.order == [(event.entityUrn, event.aspectName) for event in events]
    assert list(spool.glob("*.json")) == []


def test_sending_a_run_twice_leaves_the_server_as_it_was(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    sender = emitter(connections(), spool)
    sender.emit(run_facts)
    aspects, events = dict(gms.store.aspects), dict(gms.store.events)
    sender.emit(run_facts)
    assert (gms.store.aspects, gms.store.events) == (aspects, events)


@pytest.mark.parametrize("mode", [401, 403, 404, 429, 500, 502, 503])
def test_a_server_that_refuses_service_leaves_everything_spooled(
    mode: int, gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    gms.mode = mode
    sender = emitter(connections(), spool)
    line = sender.emit(run_facts)
    count = len(metadata_events(run_facts))
    assert f"{count} wait in {spool} for the next run" in line
    assert f"answers {mode}" in line
    assert "\n" not in line
    assert sender.flush_spool() == count
    gms.mode = "answer"
    assert sender.flush_spool() == 0
    assert len(gms.store.order) == count


def test_a_wrong_token_is_told_and_never_shown(
    connections: Connect, spool: Path, run_facts: RunFacts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    line = emitter(connections(token="not-the-token"), spool).emit(run_facts)
    assert "Unauthorized" in line
    written = "".join(path.read_text(encoding="utf-8") for path in spool.glob("*.json"))
    assert "not-the-token" not in line + caplog.text + written


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_a_server_that_never_finishes_costs_the_run_only_its_patience(
    mode: str, gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    gms.mode = mode
    line = emitter(connections(), spool, patience_seconds=1).emit(run_facts)
    assert "it took too long" in line
    assert f"{len(metadata_events(run_facts))} wait" in line
    gms.mode = "answer"
    gms.released.set()
    assert emitter(connections(), spool).flush_spool() == 0


def test_a_server_that_is_not_there_leaves_everything_spooled(
    connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    line = emitter(connections(url=url), spool).emit(run_facts)
    assert f"{len(metadata_events(run_facts))} wait" in line


@pytest.mark.parametrize("url", [" ", "nowhere.invalid", "http://[", "ftp://127.0.0.1"])
def test_a_connection_that_names_no_server_leaves_everything_spooled(
    url: str, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    line = emitter(connections(url=url), spool).emit(run_facts)
    assert f"{len(metadata_events(run_facts))} wait" in line


def test_a_web_server_that_is_no_datahub_swallows_nothing(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    gms.mode = "web"
    line = emitter(connections(), spool).emit(run_facts)
    assert f"{len(metadata_events(run_facts))} wait" in line
    assert gms.requests == []


def test_two_runs_at_once_both_arrive(gms: Any, connections: Connect, spool: Path, run_facts: RunFacts) -> None:
    runs = [run_facts.model_copy(update={"pipeline": name}) for name in ("flights", "weather")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda facts: emitter(connections(), spool).emit(facts), runs))
    assert emitter(connections(), spool).flush_spool() == 0
    for pipeline in ("flights", "weather"):
        assert (f"urn:li:dataFlow:(airflow,{pipeline},PROD)", "dataFlowInfo") in gms.store.aspects


def test_while_another_run_sends_this_one_waits_and_leaves_its_events(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    with EventSpool(spool).alone():
        line = emitter(connections(), spool, patience_seconds=0.5).emit(run_facts)
    assert f"{len(metadata_events(run_facts))} wait" in line
    assert gms.requests == []
    assert emitter(connections(), spool).flush_spool() == 0


KILLED = """
import sys
from pathlib import Path
from headwater.adapters.datahub.rest_emitter import DataHubLineageEmitter
from headwater.domain.lineage import RunFacts
from headwater.ports.connections import ConnectionInfo

class Connections:
    def resolve(self, connection_id):
        return ConnectionInfo(id="datahub", kind="datahub_rest", host=sys.argv[1])

facts = RunFacts.model_validate_json(sys.stdin.read())
DataHubLineageEmitter(Connections(), "datahub", Path(sys.argv[2])).emit(facts)
"""


def test_a_process_killed_while_it_sends_loses_nothing(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    gms.mode = "hang"
    command = [sys.executable, "-c", KILLED, gms.url, str(spool)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(run_facts.model_dump_json())
        process.stdin.close()
        assert gms.reached.wait(60)
        process.kill()
    gms.mode = "answer"
    gms.released.set()
    assert emitter(connections(), spool).flush_spool() == 0
    assert len(gms.store.order) >= len(metadata_events(run_facts))


def test_a_missing_connection_is_told_and_everything_waits(
    connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    line = DataHubLineageEmitter(connections(), "misspelt", spool).emit(run_facts)
    assert "connection misspelt does not exist" in line
    assert len(list(spool.glob("*.json"))) == 1


@pytest.mark.parametrize("status", [422, 500])
def test_an_event_the_server_refuses_stands_aside_and_the_others_pass(
    status: int, gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    gms.failing = {"datasetProfile": status}
    line = emitter(connections(), spool).emit(run_facts)
    assert "3 refused (Unable to emit metadata to DataHub GMS: cannot take datasetProfile" in line
    assert list(spool.glob("*.json")) == []
    (aside,) = (spool / "refused").glob("*.json")
    assert [event.aspectName for event in read_events(aside)] == ["datasetProfile"] * 3
    assert len(gms.store.order) == len(metadata_events(run_facts)) - 3


def test_runs_that_waited_arrive_in_their_order(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    gms.mode = 503
    sender = emitter(connections(), spool)
    for day in ("first", "second"):
        sender.emit(run_facts.model_copy(update={"description": day}))
    gms.mode = "answer"
    sender.emit(run_facts.model_copy(update={"description": "third"}))
    flow = "urn:li:dataFlow:(airflow,flights,PROD)"
    assert gms.store.order.count((flow, "dataFlowInfo")) == 3
    assert gms.store.aspects[flow, "dataFlowInfo"]["description"] == "third"


def test_progress_is_kept_batch_by_batch(gms: Any, connections: Connect, spool: Path, run_facts: RunFacts) -> None:
    """A server that dies in the middle is not told again what it took, however long the file."""
    gms.dies_after_requests = 1
    many = run_facts.model_copy(update={"datasets": run_facts.datasets * 4})
    emitter(connections(), spool).emit(many)
    (path,) = spool.glob("*.json")
    assert len(read_events(path)) == len(metadata_events(many)) - 50


def test_a_spool_file_nobody_can_read_stands_aside(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    spool.mkdir()
    (spool / "00000000000000000001.json").write_text("{half", encoding="utf-8")
    line = emitter(connections(), spool).emit(run_facts)
    assert "1 refused" in line
    assert (spool / "refused" / "00000000000000000001.json").read_text(encoding="utf-8") == "{half"
    assert len(gms.store.order) == len(metadata_events(run_facts))


def test_a_spool_that_cannot_be_written_is_told_and_not_raised(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    spool.write_text("a file is in the way", encoding="utf-8")
    assert "NOT kept" in emitter(connections(), spool).emit(run_facts)


def test_progress_that_cannot_be_kept_is_told_and_not_raised(
    gms: Any, connections: Connect, spool: Path, run_facts: RunFacts
) -> None:
    (spool / ".lock").mkdir(parents=True)
    line = emitter(connections(), spool).emit(run_facts)
    assert f"{len(metadata_events(run_facts))} wait" in line
    assert "the spool cannot be used" in line


def test_unknown_aspects_are_refused_by_the_server_of_the_tests(gms: Any) -> None:
    """The server is a judge only if it says no."""
    proposal = {"entityUrn": "urn:li:x", "entityType": "dataset", "changeType": "UPSERT", "aspect": {"value": "{}"}}
    status, answer = gms.respond(
        "/aspects?action=ingestProposalBatch",
        "Bearer a-token-of-the-tests",
        {"proposals": [{**proposal, "aspectName": "dataJobInfo"}]},
    )
    assert (status, answer["message"]) == (422, "Unknown aspect dataJobInfo for entity dataset")
    schema = {**proposal, "aspectName": "status", "aspect": {"value": '{"removed": false, "colour": 1}'}}
    assert (
        gms.respond("/aspects?action=ingestProposalBatch", "Bearer a-token-of-the-tests", {"proposals": [schema]})[0]
        == 422
    )
