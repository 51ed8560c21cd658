"""Objects of real servers of S3 and of Azure: taken once by etag and hash; every refusal says which part failed."""

from __future__ import annotations

import json
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.sources.landed_under_test import COLUMNS, Uploaded
from tests.integration.sources.s3_under_test import BucketServer
from tests.integration.sources.sources_under_test import rows_of

from headwater.adapters.sources.files.extractor import FilesExtractor
from headwater.adapters.sources.files.landing import Landing
from headwater.domain.errors import (
    ConnectionMalformedError,
    HeadwaterError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
    SpecError,
)
from headwater.domain.run import RunRequest
from headwater.domain.spec import FilesExtract, Silver, TableSpec
from headwater.ports.connections import ConnectionInfo

GLOBS = ["flights", "flights/*.csv", "flights/**/*.csv", "**/*.csv", "flights/?/*", "flights/x/d.csv", "flights/[!a]*"]


@pytest.fixture(params=["s3_server", "azurite"])
def server(request: pytest.FixtureRequest) -> BucketServer:
    found: BucketServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def bucket(server: BucketServer, tmp_path: Path) -> Uploaded:
    return Uploaded(server, tmp_path)


def shows_a_secret(server: BucketServer, text: str) -> bool:
    return any(secret in text for secret in server.secrets)


def table(path: str, **extract: Any) -> TableSpec:
    values = {"path": path, "columns": COLUMNS} | extract
    return TableSpec(name="flights", extract=FilesExtract.model_validate(values), silver=Silver(mode="append"))


@pytest.mark.parametrize("pattern", GLOBS)
def test_a_bucket_gives_the_files_a_folder_would_give(bucket: Uploaded, tmp_path: Path, pattern: str) -> None:
    folder = tmp_path / "same"
    for name in ("a.csv", "b.json", "x/d.csv", "x/y/e.csv", ".hidden.csv", "_temporary/0/a.csv"):
        bucket.put(f"flights/{name}", b"id\n")
        (folder / "flights" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "flights" / name).write_bytes(b"id\n")
    here = ConnectionInfo(id="here", kind="fs", extra={"path": str(folder)})
    spec = table(pattern)
    assert isinstance(spec.extract, FilesExtract)
    found = [
        [(file.path, file.size) for file in Landing.of(connection, spec, spec.extract).list_files()]
        for connection in (here, bucket.connection)
    ]
    assert found[0] == found[1] != []


def test_new_source_takes_what_a_bucket_offers(bucket: Uploaded) -> None:
    bucket.add([1, 2])
    bucket.put("rates/day=2026-01-01/1.jsonl", b'{"currency": "EUR", "rate": 1.25}\n')
    flights, rates = bucket.with_extractor(lambda extractor: extractor.list_relations())
    assert (flights.relation, flights.files.path, flights.unique_key) == ("files.flights", "flights", ("id",))
    assert rates.files.columns == {"currency": "string", "rate": "decimal(18,2)", "day": "date"}
    assert not shows_a_secret(bucket.server, f"{flights}{rates}")


def test_an_object_of_this_second_waits(bucket: Uploaded) -> None:
    """Its time has whole seconds: replaced within one, it would look untouched."""
    bucket.add([1])
    extractor = FilesExtractor(bucket.connection)
    now = datetime.now(UTC)
    assert extractor.plan(bucket.table, None, None, RunRequest(), now - timedelta(seconds=1)).kind == "nothing"
    window = extractor.plan(bucket.table, None, None, RunRequest(), now + timedelta(seconds=5))
    assert json.loads(window.items[0])["etag"]


def test_an_object_replaced_within_the_second_of_the_plan_is_not_taken(bucket: Uploaded) -> None:
    bucket.put("flights/a.csv", b"id,note,fare\n1,a,1.00\n")
    window = bucket.plan()
    file = json.loads(window.items[0])
    bucket.put("flights/a.csv", b"id,note,fare\n2,b,2.00\n")
    now = json.loads(bucket.plan().items[0])
    same_time = window.model_copy(update={"items": (json.dumps(file | {"modified_ns": now["modified_ns"]}),)})
    with pytest.raises(SourceDataError, match="changed after the run was planned"):
        bucket.extract(same_time)


def test_an_object_copied_onto_itself_is_not_new_and_a_replaced_one_is_refused(bucket: Uploaded) -> None:
    bucket.put("flights/a.csv", b"id,note,fare\n1,a,1.00\n")
    bucket.run()
    assert bucket.ledger is not None
    known = json.loads(bucket.ledger)["files"][0]
    older = json.dumps({"version": 1, "files": [known | {"modified_ns": 1}]}).encode()
    bucket.ledger = older
    assert bucket.plan().kind == "nothing"
    bucket.put("flights/a.csv", b"id,note,fare\n2,b,2.00\n")
    with pytest.raises(SourceDataError, match="other content"):
        bucket.plan()
    bucket.table = table("flights", replaced="read_again")
    assert rows_of(bucket.run(), "id") == [(2,)]


def test_a_bucket_that_is_missing_and_a_prefix_that_is_empty(bucket: Uploaded) -> None:
    assert bucket.plan().kind == "nothing"
    place = bucket.server.place("no-such-bucket", "landing")
    nowhere = bucket.server.connection(place)
    with pytest.raises(SourceTableMissingError, match=rf"(bucket|container) of {place} does not exist"):
        bucket.with_extractor(lambda extractor: extractor.inspect(bucket.table), nowhere)


WRONG: dict[str, tuple[Callable[[BucketServer], dict[str, str]], type[HeadwaterError]]] = {
    "nothing listens": (
        lambda server: {"path": server.place("bbb", "x"), "endpoint_url": "http://127.0.0.1:1"}, SourceUnreachableError
    ),
    "a folder": (lambda _: {"path": "/data/landing"}, ConnectionMalformedError),
    "a page": (lambda _: {"path": "https://user:pw@host/x"}, ConnectionMalformedError),
    "an unknown key": (
        lambda server: {"path": server.place("bbb", "x"), "aws_secret_access_key": "x"}, ConnectionMalformedError
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_connection_is_named_without_its_secrets(bucket: Uploaded, wrong: str) -> None:
    extra, error = WRONG[wrong]
    connection = bucket.connection.model_copy(update={"extra": extra(bucket.server)})
    with pytest.raises(error) as caught:
        bucket.with_extractor(lambda extractor: extractor.inspect(bucket.table), connection)
    assert caught.value.facts["connection"] == "bucket"
    assert not shows_a_secret(
        bucket.server, "".join(traceback.format_exception(caught.value)) + str(caught.value.facts)
    )


@pytest.mark.parametrize(
    "path",
    ["../evil", "flights/../../evil/*.csv", "/etc/*", "s3://other/x", "abfss://other@shopdata.dfs.core.windows.net/x"],
)
def test_a_path_out_of_the_prefix_is_refused(bucket: Uploaded, path: str) -> None:
    with pytest.raises(SpecError):
        bucket.with_extractor(
            lambda extractor: extractor.plan(table(path), None, None, RunRequest(), datetime.now(UTC))
        )


def test_nothing_of_an_object_stays_on_this_machine(bucket: Uploaded, tmp_path: Path, monkeypatch: Any) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    bucket.add([1, 2])
    assert bucket.run().rows == 2
    assert list(scratch.iterdir()) == []


class Cable:
    """A TCP proxy in front of the server that can be cut after so many bytes of answers."""

    def __init__(self, port: int) -> None:
        self.target, self.left = port, 1 << 60
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.server.accept()
                upstream = socket.create_connection(("127.0.0.1", self.target))
                threading.Thread(target=self._pump, args=(client, upstream, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(upstream, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError), source, target:
            while content := source.recv(65_536):
                if answers:
                    self.left -= len(content)
                    if self.left < 0:
                        source.shutdown(socket.SHUT_RDWR)
                        target.shutdown(socket.SHUT_RDWR)
                        return
                target.sendall(content)


@pytest.fixture
def cable(server: BucketServer) -> Iterator[Cable]:
    cable = Cable(server.port)
    yield cable
    cable.server.close()


def test_a_connection_cut_while_an_object_is_read_is_worth_a_retry(bucket: Uploaded, cable: Cable) -> None:
    """Nothing of a torn read is kept; the next try of the same window reads all of it."""
    bucket.add(range(200_000))
    window, whole = bucket.plan(), 200_000
    extra = bucket.connection.extra | {"endpoint_url": f"http://127.0.0.1:{cable.port}"}
    bucket.connection = bucket.connection.model_copy(update={"extra": extra})
    schema = bucket.schema()
    cable.left = 1_000_000
    with pytest.raises(SourceUnreachableError) as caught:
        bucket.extract(window, schema)
    assert caught.value.retry_helps
    assert not shows_a_secret(bucket.server, "".join(traceback.format_exception(caught.value)))
    assert list(bucket.folder.glob("*")) == []
    cable.left = 1 << 60
    assert bucket.extract(window, schema).rows == whole
