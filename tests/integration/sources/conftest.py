"""A source database that is empty at the start of each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headwater.adapters.embedded.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from tests.integration.sources.azurite_under_test import Azurite
    from tests.integration.sources.s3_under_test import S3Server
    from tests.integration.sources.sources_under_test import Source

# pytest's importlib mode puts nothing on the path: what the tests here share is imported from the repository's root
sys.path.append(str(Path(__file__).parents[3]))

DATABASE = "source_under_test"
# emptied instead of created anew: a database costs eight megabytes and a tenth of a second
EMPTY = f"""
SET lock_timeout = '20s';
DO $$ DECLARE found text; BEGIN
  FOR found IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', found);
  END LOOP;
END $$;
CREATE SCHEMA public;
GRANT USAGE ON SCHEMA public TO PUBLIC;
ALTER DATABASE {DATABASE} RESET ALL;
"""


@pytest.fixture
def source(postgres_server: EmbeddedPostgres, tmp_path: Path) -> Source:
    from tests.integration.sources.sources_under_test import Source, connection_of

    postgres_server.create_databases([DATABASE])
    url = postgres_server.url(DATABASE)
    source = Source(connection_of(url), url, tmp_path / "data")
    source.sql(EMPTY)
    return source


@pytest.fixture
def source_15(postgres_15: str, tmp_path: Path) -> Source:
    from tests.integration.sources.sources_under_test import Source, connection_of

    source = Source(connection_of(postgres_15), postgres_15, tmp_path / "data_of_15")
    source.sql(EMPTY.replace(DATABASE, "postgres"))
    return source


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One S3 server per session; tests make buckets of their own."""
    from tests.integration.sources.s3_under_test import serving

    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One server of Azure's Blob protocol per session; tests make containers of their own."""
    from tests.integration.sources.azurite_under_test import serving

    with serving() as server:
        yield server
