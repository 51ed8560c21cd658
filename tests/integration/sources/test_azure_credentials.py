"""Who may read a container: a key or a token, and what a wrong one is told; no signature is shown."""

from __future__ import annotations

import traceback
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr
from tests.integration.sources.azurite_under_test import KEY, Azurite, sas_token
from tests.integration.sources.landed_under_test import Uploaded
from tests.integration.sources.sources_under_test import rows_of

from headwater.adapters.embedded.postgres_files import free_port
from headwater.adapters.sources.checking.check import check_connection
from headwater.adapters.sources.checking.probe import Probe
from headwater.domain.errors import CredentialsError
from headwater.ports.connections import ConnectionInfo

OTHER_KEY = "b25lIHRoYXQgd2FzIHJvdGF0ZWQ="


@pytest.fixture
def container(azurite: Azurite, tmp_path: Path) -> Uploaded:
    return Uploaded(azurite, tmp_path)


def over(container: Uploaded, token: str) -> ConnectionInfo:
    server = container.server
    assert isinstance(server, Azurite)
    return server.with_token(server.place(container.bucket, "landing"), token)


@pytest.mark.parametrize("mark", ["", "?"])
def test_a_token_reads_with_and_without_the_mark_that_portals_put_before_it(container: Uploaded, mark: str) -> None:
    container.add([1, 2])
    container.connection = over(container, f"{mark}{sas_token()}")
    assert rows_of(container.run(), "id") == [(1,), (2,)]


WRONG = {
    "expired": sas_token(lasts=timedelta(hours=-1)),
    "of another key": sas_token(key=OTHER_KEY),
    "may not list": sas_token("r"),
    "no token": "hello",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_token_is_refused_and_its_signature_is_in_no_error(container: Uploaded, wrong: str) -> None:
    """The library quotes addresses with the token's values in another order."""
    container.add([1])
    connection = over(container, WRONG[wrong])
    for act in (lambda e: e.inspect(container.table), lambda e: e.list_relations()):
        with pytest.raises(CredentialsError) as caught:
            container.with_extractor(act, connection)
        shown = "".join(traceback.format_exception(caught.value)) + str(caught.value.facts)
        for signature in parse_qs(WRONG[wrong]).get("sig", ["hello="]):
            assert signature not in shown
        assert "%2F" not in shown
        assert WRONG[wrong] not in shown


def test_a_token_that_may_list_and_not_read_is_told_at_the_first_file(container: Uploaded) -> None:
    container.add([1])
    found = check_connection(over(container, sas_token("l")), [container.table])
    assert [probe.part for probe in found if not probe.fine] == ["files of flights"]
    assert "sig=***" in found[-1].found


def failing(connection: ConnectionInfo) -> Probe:
    found = check_connection(connection, [])
    assert all(probe.fine for probe in found[:-1])
    assert not found[-1].fine
    assert found[-1].fix
    return found[-1]


def test_check_connection_names_the_part_that_fails(container: Uploaded, azurite: Azurite) -> None:
    def at(endpoint: str) -> ConnectionInfo:
        known = container.connection
        return known.model_copy(update={"extra": known.extra | {"endpoint_url": endpoint}})

    found = check_connection(container.connection, [])
    assert [probe.part for probe in found if probe.fine] == ["DNS", "TCP", "login", "grant"]
    assert failing(at(f"http://127.0.0.1:{free_port()}")).part == "TCP"
    assert failing(at("http://no-such-host.invalid")).part == "DNS"
    assert failing(at(f"https://127.0.0.1:{azurite.port}")).part == "TLS"
    missing = failing(azurite.connection(azurite.place("no-such-container", "x")))
    assert (missing.part, "Create the container" in missing.fix) == ("container", True)
    wrong = failing(container.connection.model_copy(update={"password": SecretStr(OTHER_KEY)}))
    assert (wrong.part, KEY in str(wrong), OTHER_KEY in str(wrong)) == ("login", False, False)
    grant = failing(over(container, sas_token("r")))
    assert (grant.part, "Read and List" in grant.fix, "s3:" in grant.fix) == ("grant", True, False)
