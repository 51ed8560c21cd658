"""Turning a pipeline's line of releases back to an earlier one (rule 22)."""

from __future__ import annotations

from headwater.domain.errors import LeaseHeldError, NotFoundError, RequestError
from headwater.domain.names import PhysicalName
from headwater.domain.release import Move, Release, ReleasedTable
from headwater.domain.staging import branch_of, new_attempt
from headwater.ports.catalog import Catalog
from headwater.ports.clock import Clock
from headwater.ports.run_states import RunStates
from headwater.ports.run_store import RunStore
from headwater.services.homes import home_of
from headwater.services.leases import Claim, try_leases
from headwater.services.releases import Publication, publish_release


def rollback(
    runs: RunStore,
    catalog: Catalog,
    clock: Clock,
    run_states: RunStates,
    release_id: str,
    *,
    run_key: str,
    holder: str,
    ttl_seconds: float = 300.0,
) -> Release:
    """Make readers see the tables of ``release_id`` again, by a new release of kind ``rollback``.

    :param run_key: of this act, fresh each time, in the form of RunKey.
    :raises NotFoundError: when there is no such published release, or a snapshot of it has expired.
    :raises RequestError: when the release is what readers see already, or one of quarantine, which holds only copies.
    :raises LeaseHeldError: when a run works on one of the tables.
    """
    target = runs.release(release_id)
    if target is None or target.status != "published":
        raise NotFoundError(
            "there is no published release of that id", got=release_id, remedy="headwater releases lists them"
        )
    if target.scope == "quarantine":
        raise RequestError(
            "quarantine is never turned back", got=release_id, allowed="a bronze, audited or rollback release",
            remedy="rows that extraction rejected lie there and nowhere else; roll back the release of their tables",
        )  # fmt: skip
    tables = [item.table for item in target.tables]
    blocking = try_leases(
        runs,
        catalog,
        run_states,
        Claim(pipeline=target.pipeline, tables=tables, run_key=run_key, holder=holder, ttl_seconds=ttl_seconds),
    )
    if blocking:
        raise LeaseHeldError(
            f"{blocking[0].table} is held by {blocking[0].holder}", remedy="roll back when that run has ended",
            facts={"table": blocking[0].table, "holder": blocking[0].holder, "run_key": blocking[0].run_key},
        )  # fmt: skip
    try:
        moves = [move for item in target.tables if (move := _move(catalog, item)) is not None]
        if not moves:
            raise RequestError("every table is at this release already", got=release_id)
        return publish_release(
            runs,
            catalog,
            clock,
            Publication(
                run_key=run_key,
                pipeline=target.pipeline,
                kind="rollback",
                moves=moves,
                unmoved=_rest(runs, target),
                inputs=target.inputs,
                rows={item.table: item.rows for item in target.tables if item.rows is not None},
                bundle_version=target.bundle_version,
            ),
        )
    finally:
        runs.release_leases(run_key)


def _move(catalog: Catalog, item: ReleasedTable) -> Move | None:
    """The table's way back, on a branch of its own: whoever drops that branch stops a rollback that fell asleep."""
    head = catalog.head(item.table)
    if head is None or item.state is None:
        raise NotFoundError(f"{item.table} of this release cannot be restored", facts={"table": item.table.dotted})
    if head.published == item.snapshot_id:
        return None
    branch = branch_of(new_attempt())
    home = home_of(catalog, item.table, item.snapshot_id)
    catalog.cut_branch(home, branch, item.snapshot_id)
    return Move(
        table=item.table,
        base=head.main,
        target=item.snapshot_id,
        branch=branch,
        state=item.state,
        physical=home.mark if isinstance(home, PhysicalName) else None,
    )


def _rest(runs: RunStore, target: Release) -> list[ReleasedTable]:
    """Tables as they stand: those of the target, and those that joined the pipeline since."""
    known = {item.table for item in target.tables}
    joined = [
        item
        for release in runs.current()
        if release.pipeline == target.pipeline and release.scope == target.scope
        for item in release.tables
        if item.table not in known
    ]
    return [*target.tables, *joined]
