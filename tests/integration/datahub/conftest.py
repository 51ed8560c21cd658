"""A server of our own that answers like DataHub's GMS, and the store of aspects behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from datahub.emitter.aspect import ASPECT_MAP, TIMESERIES_ASPECT_MAP
from datahub.emitter.serialization_helper import post_json_transform
from datahub.metadata.schema_classes import ENTITY_TYPE_TO_ASPECT_NAMES
from pydantic import SecretStr

from headwater.domain.errors import ConnectionMissingError
from headwater.domain.lineage import RunFacts
from headwater.ports.connections import ConnectionInfo

Json = dict[str, Any]
TOKEN = "a-token-of-the-tests"
SEPARATOR = "\u241f"
ARRAY_KEYS = {
    "upstreamLineage": {"upstreams": ["dataset"]},
    "dataJobInputOutput": {"inputDatasetEdges": ["destinationUrn"], "outputDatasetEdges": ["destinationUrn"]},
}
"""What the server's templates key arrays by when a patch does not say."""
DEFAULTS: dict[str, Json] = {
    "datasetProperties": {"customProperties": {}},
    "upstreamLineage": {"upstreams": []},
    "dataJobInputOutput": {"inputDatasets": [], "outputDatasets": []},
    "globalTags": {"tags": []},
    "ownership": {"owners": []},
}


class RefusedError(Exception):
    """What the server answers 422 to."""


def _key(item: Json, path: str) -> str:
    value: Any = item
    for part in path.split(SEPARATOR):
        value = (value or {}).get(part)
    return str(value or "")


def _nest(items: list[Json], keys: list[str]) -> Json:
    nested: Json = {}
    for item in items:
        place = nested
        for key in keys[:-1]:
            place = place.setdefault(_key(item, key), {})
        place[_key(item, keys[-1])] = item
    return nested


def _unnest(nested: Json, depth: int) -> list[Json]:
    return list(nested.values()) if depth == 1 else [i for v in nested.values() for i in _unnest(v, depth - 1)]


def _nest_columns(entries: list[Json]) -> Json:
    nested: Json = {}
    for entry in entries:
        place = nested.setdefault(entry.get("transformOperation") or "NONE", {})
        place = place.setdefault(entry["downstreams"][0], {}).setdefault(entry.get("query") or "NONE", {})
        place.update({up: {"confidenceScore": entry.get("confidenceScore", 1.0)} for up in entry["upstreams"]})
    return nested


def _unnest_columns(nested: Json) -> list[Json]:
    return [
        {
            "upstreamType": "FIELD_SET",
            "downstreamType": "FIELD",
            "transformOperation": operation,
            "downstreams": [down],
            "upstreams": list(ups),
            "confidenceScore": 1.0,
        }
        for operation, downs in nested.items()
        for down, queries in downs.items()
        for ups in queries.values()
    ]


def apply_patch(aspect_name: str, aspect: Json | None, patch: Any) -> Json:
    """DataHub's patches: JSON patch over arrays seen as maps by their primary keys, so that adding twice is once."""
    wrapped = isinstance(patch, dict)
    keys = patch["arrayPrimaryKeys"] if wrapped else ARRAY_KEYS.get(aspect_name, {})
    document: Json = json.loads(json.dumps(aspect or DEFAULTS[aspect_name]))
    for name, parts in keys.items():
        document[name] = _nest(document.get(name, []), parts)
    if aspect_name == "upstreamLineage":
        document["fineGrainedLineages"] = _nest_columns(document.get("fineGrainedLineages", []))
    for operation in patch["patch"] if wrapped else patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"][1:].split("/")]
        place = document
        for part in way:
            place = place.setdefault(part, {})
        if operation["op"] == "remove":
            place.pop(last, None)
        else:
            place[last] = operation["value"]
    for name, parts in keys.items():
        document[name] = _unnest(document[name], len(parts))
    if aspect_name == "upstreamLineage":
        document["fineGrainedLineages"] = _unnest_columns(document["fineGrainedLineages"])
    return document


@dataclass
class AspectStore:
    """(urn, aspect name) -> aspect; events in time are kept by their time stamp."""

    aspects: dict[tuple[str, str], Json] = field(default_factory=dict)
    events: dict[tuple[str, str, int], Json] = field(default_factory=dict)
    order: list[tuple[str, str]] = field(default_factory=list)

    def take(self, proposal: Json) -> None:
        """Apply one proposal. :raises RefusedError: for what a real server refuses."""
        urn, name, change = proposal["entityUrn"], proposal["aspectName"], proposal["changeType"]
        if name not in ENTITY_TYPE_TO_ASPECT_NAMES.get(proposal["entityType"], ()):
            raise RefusedError(f"Unknown aspect {name} for entity {proposal['entityType']}")
        content = json.loads(proposal["aspect"]["value"])
        existing = self.aspects.get((urn, name))
        if change == "PATCH":
            assert proposal["aspect"]["contentType"] == "application/json-patch+json"
            content = apply_patch(name, existing, content)
        self._check(name, content)
        self.order.append((urn, name))
        if name in TIMESERIES_ASPECT_MAP:
            self.events[urn, name, content["timestampMillis"]] = content
        elif change == "CREATE" and existing is not None:
            if (proposal.get("headers") or {}).get("If-None-Match") != "*":
                raise RefusedError(f"Cannot perform CREATE since {name} already exists")
        else:
            self.aspects[urn, name] = content

    @staticmethod
    def _check(name: str, content: Json) -> None:
        unknown = set(content) - set(ASPECT_MAP[name].RECORD_SCHEMA.fields_dict)
        if unknown:
            raise RefusedError(f"unrecognized field found but not allowed: {sorted(unknown)}")
        try:
            valid = ASPECT_MAP[name].from_obj(post_json_transform(content)).validate()
        except ValueError as error:
            raise RefusedError(str(error)) from error
        if not valid:
            raise RefusedError(f"invalid {name}: {content}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gms: Gms

    def do_GET(self) -> None:
        assert self.path == "/config"
        self._answer(200, {"noCode": "true"} if self.gms.mode != "web" else "<html>")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.gms.requests.append(self.path)
        self.gms.reached.set()
        self._answer(*self.gms.respond(self.path, self.headers.get("Authorization", ""), body))

    def _answer(self, status: int, answer: Json | str) -> None:
        content = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.gms.mode == "drip":
            for byte in content:
                if self.gms.released.wait(0.2):
                    break
                self.wfile.write(bytes([byte]))
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


class Gms:
    """A running server.

    :param mode: ``answer``, ``hang``, ``drip`` (an answer byte by byte), ``web`` (a page for everything), or an HTTP
        status to fail with.
    """

    def __init__(self) -> None:
        self.store = AspectStore()
        self.mode: str | int = "answer"
        self.failing: dict[str, int] = {}
        self.requests: list[str] = []
        self.dies_after_requests: int | None = None
        self.reached = threading.Event()
        self.released = threading.Event()
        handler = type("Handler", (_Handler,), {"gms": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def respond(self, path: str, authorization: str, body: Json) -> tuple[int, Json | str]:
        if self.mode == "web":
            return 200, "<html>"
        if self.mode == "hang":
            self.released.wait()
        if self.dies_after_requests is not None and len(self.requests) > self.dies_after_requests:
            return 503, {"message": "the server died"}
        if isinstance(self.mode, int):
            return self.mode, {"message": f"the server answers {self.mode}"}
        if authorization != f"Bearer {TOKEN}":
            return 401, {"message": "Unauthorized to perform this action."}
        assert path == "/aspects?action=ingestProposalBatch"
        return self._ingest(body["proposals"])

    def _ingest(self, proposals: list[Json]) -> tuple[int, Json | str]:
        for proposal in proposals:
            if status := self.failing.get(proposal["aspectName"]):
                return status, {"message": f"cannot take {proposal['aspectName']}"}
        try:
            for proposal in proposals:
                self.store.take(proposal)
        except RefusedError as error:
            return 422, {"message": str(error)}
        return 200, {"value": "success"}

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def gms() -> Iterator[Gms]:
    server = Gms()
    yield server
    server.stop()


class OneConnection:
    """Connections that know one id."""

    def __init__(self, info: ConnectionInfo) -> None:
        self._info = info

    def resolve(self, connection_id: str) -> ConnectionInfo:
        if connection_id != self._info.id:
            raise ConnectionMissingError(f"connection {connection_id} does not exist")
        return self._info


@pytest.fixture
def connections(gms: Gms) -> Callable[..., OneConnection]:
    """``connections(token=…, url=…)`` resolves ``datahub``."""

    def make(token: str = TOKEN, url: str | None = None) -> OneConnection:
        info = ConnectionInfo(id="datahub", kind="datahub_rest", host=url or gms.url, password=SecretStr(token))
        return OneConnection(info)

    return make


@pytest.fixture
def run_facts() -> RunFacts:
    document = Path(__file__).parents[2] / "unit" / "adapters" / "datahub" / "flights_run.json"
    return RunFacts.model_validate_json(document.read_text(encoding="utf-8"))
