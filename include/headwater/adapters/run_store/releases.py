"""Releases, and the one statement by which readers find them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from headwater.adapters.run_store.database import Database, insert_into
from headwater.adapters.run_store.tables import RELEASES
from headwater.domain.names import Layer
from headwater.domain.release import Release

_PUBLISHED = "published"


class Releases(Database):
    """The part of the run store that knows what became visible."""

    def save_release(self, release: Release) -> None:
        row: dict[str, object] = {
            "id": release.id,
            "run_key": release.run_key,
            "pipeline": release.pipeline,
            "scope": release.scope,
            "status": release.status,
            "document": release.model_dump_json(),
        }
        with self._transaction() as connection:
            # published is final: a late abort by somebody who looked too early changes nothing
            connection.execute(
                insert_into(connection, RELEASES, row).on_conflict_do_update(
                    index_elements=["id"],
                    set_={"status": row["status"], "document": row["document"], "scope": row["scope"]},
                    where=RELEASES.c.status != _PUBLISHED,
                )
            )

    def release(self, release_id: str) -> Release | None:
        with self._transaction() as connection:
            stored = connection.execute(select(RELEASES.c.document).where(RELEASES.c.id == release_id)).scalar()
        return None if stored is None else Release.model_validate_json(stored)

    def releases(self, pipeline: str | None = None, limit: int = 20) -> tuple[Release, ...]:
        wanted = select(RELEASES.c.document).order_by(RELEASES.c.seq.desc()).limit(limit)
        if pipeline is not None:
            wanted = wanted.where(RELEASES.c.pipeline == pipeline)
        with self._transaction() as connection:
            return tuple(map(Release.model_validate_json, connection.execute(wanted).scalars()))

    def pending_releases(self, pipeline: str) -> tuple[Release, ...]:
        wanted = select(RELEASES.c.document).where(RELEASES.c.pipeline == pipeline, RELEASES.c.status == "pending")
        with self._transaction() as connection:
            found = connection.execute(wanted.order_by(RELEASES.c.seq)).scalars()
            return tuple(map(Release.model_validate_json, found))

    def current(self, layers: Sequence[Layer] | None = None) -> tuple[Release, ...]:
        # newest by the order of intents, not of clocks: a release completed late never hides a later one
        newest = (
            select(func.max(RELEASES.c.seq))
            .where(RELEASES.c.status == _PUBLISHED)
            .group_by(RELEASES.c.pipeline, RELEASES.c.scope)
        )
        wanted = select(RELEASES.c.document).where(RELEASES.c.seq.in_(newest))
        with self._transaction() as connection:
            found = connection.execute(wanted.order_by(RELEASES.c.pipeline, RELEASES.c.scope)).scalars()
            releases = tuple(map(Release.model_validate_json, found))
        if layers is None:
            return releases
        return tuple(part for part in (release.only(layers) for release in releases) if part.tables)
