"""The steps of maintenance but the rewriting of files: each in a slice of its own, each safe to be killed in."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.domain.job import JobSpec
from headwater.domain.maintenance import MaintainTable, OrphanSearch, Step, Upkeep
from headwater.domain.maintenance_errors import MaintenanceError
from headwater.domain.names import PhysicalName, TableName
from headwater.domain.staging import new_attempt
from headwater.ports.failpoints import failpoint
from headwater.ports.upkeep import TableHistory
from headwater.services.leases import ATTEMPT_BRANCH
from headwater.services.maintenance.keeping import Needed, bridges, expirable, kept_snapshots, may_drop
from headwater.services.maintenance.needing import needed
from headwater.services.maintenance.slices import Slice


def drop_dead_branches(part: Slice) -> list[Upkeep]:
    """Drop branches of attempts that are neither live nor held, with the physical tables staged on them (rule 25)."""
    catalog, done = part.platform.catalog, []
    for home in homes_of(part):
        head = catalog.head(home)
        found = [name for name in (head.branches if head else ()) if name.startswith(ATTEMPT_BRANCH)]
        if home == part.table:
            staged = (name.mark for name in catalog.physical_tables(home) if not name.is_replaced)
            found = list(dict.fromkeys((*found, *staged)))
        live = part.platform.runs.live_branches().get(part.table.dotted, ())
        dead = [name for name in found if name not in live]
        if dead and not part.dry_run:
            part.assert_held()
            failpoint("maintain.branches")
            catalog.drop_branches(home, dead)
        if dead:
            done.append(told(part, "branches", home, branches=len(dead)))
    return done


def drop_replaced_tables(part: Slice) -> list[Upkeep]:
    """Drop physical tables that another one was swapped in for, once nothing needs a snapshot of theirs (ADR 11)."""
    done = []
    for home, history, need in _histories(part):
        if not isinstance(home, PhysicalName) or not may_drop(history, need):
            continue
        if not part.dry_run:
            part.assert_held()
            failpoint("maintain.tables")
            part.platform.catalog.drop_physical(home)
        newest = history.snapshot(history.main)
        size, files = (newest.size_bytes, newest.data_files) if newest else (0, 0)
        snapshots = len(history.snapshots)
        done.append(told(part, "tables", home, size_bytes=size, files=files, snapshots=snapshots))
    return done


def expire_snapshots(part: Slice) -> list[Upkeep]:
    """Let go of snapshots nothing asks for, each named by its id, with the files only they have (rule 41)."""
    done = []
    for home, history, need in _histories(part):
        kept = kept_snapshots(history, need, part.cutoff)
        gone = expirable(history, kept, part.platform.settings.maintenance.max_slice_snapshots)
        if not gone:
            continue
        if part.dry_run:
            done.append(told(part, "snapshots", home, snapshots=len(gone)))
            continue
        part.assert_held()
        part.platform.upkeep.note_ancestry(home, bridges(history, gone))
        failpoint("maintain.snapshots")
        done.append(in_spark(part, "snapshots", MaintainTable(**at(home), expire=gone)))
    return done


def remove_orphans(part: Slice) -> list[Upkeep]:
    """Delete files in the table's folder that neither its metadata nor a release, state or attempt refers to (29)."""
    found = list(_histories(part))
    spared = {path for _, history, need in found for path in (*need.paths, *_paths_of(history))}
    attempts = {attempt for _, _, need in found for attempt in need.attempts}
    settings, done = part.platform.settings.maintenance, []
    for home, _, _ in found:
        search = OrphanSearch(
            before=part.now - settings.orphan_age,
            metadata_before=part.now - max(settings.orphan_age, settings.retention),
            spared=tuple(sorted(spared)),
            attempts=tuple(sorted(attempts)),
            delete=not part.dry_run,
        )
        upkeep = in_spark(part, "orphans", MaintainTable(**at(home), orphans=search))
        if upkeep.files:
            done.append(upkeep.model_copy(update={"status": "would"}) if part.dry_run else upkeep)
    return done


def homes_of(part: Slice) -> tuple[TableName, ...]:
    """The table, and the physical ones it replaced."""
    replaced = (name for name in part.platform.catalog.physical_tables(part.table) if name.is_replaced)
    return (part.table, *replaced)


def _histories(part: Slice) -> Iterator[tuple[TableName, TableHistory, Needed]]:
    """Each physical table with its history and, read after it, what is needed of the table.

    :raises MaintenanceError: when the run store does not know the release that the table is at: its records are not
        those of this lake, and what they do not name would look unneeded.
    """
    for home in homes_of(part):
        history = part.platform.upkeep.history(home)
        if history is None:
            continue
        release = history.state.release if history.state else ""
        if release and part.platform.runs.release(release) is None:
            raise MaintenanceError(
                f"{part.table}: the run store does not know release {release}, which the table is at",
                remedy="Restore the run store of this lake first; until then nothing of the table is let go.",
                facts={"table": part.table.dotted, "release": release},
            )
        yield home, history, needed(part.platform.runs, part.table, part.cutoff)


def _paths_of(history: TableHistory) -> Iterator[str]:
    yield history.metadata_location
    if history.state is not None:
        yield from filter(None, (history.state.ledger, history.state.source_columns))


def in_spark(part: Slice, step: Step, item: MaintainTable) -> Upkeep:
    """Do one piece of work in Spark.

    :raises LeaseHeldError: when it failed and a run has taken the table over.
    :raises MaintenanceError: when the table failed.
    :raises EngineError: when the engine did.
    """
    job = JobSpec(
        kind="maintain",
        run_key=part.run_key,
        pipeline=part.table.source,
        attempt=new_attempt(),
        planned_at=part.now,
        maintain=(item,),
    )
    result = part.platform.engine.run(job).table(part.table)
    if result is None or result.upkeep is None:
        part.assert_held()  # a run that took the table over has dropped the branch we worked on
        error = "the job gave no answer" if result is None else result.error_line
        raise MaintenanceError(
            f"{part.table}: {step} failed in Spark", got=error[:600],
            remedy="What was there stays readable; the next maintenance goes on from there.",
            facts={"table": part.table.dotted, "step": step},
        )  # fmt: skip
    return result.upkeep.model_copy(update={"seconds": result.seconds})


def at(home: TableName) -> dict[str, object]:
    """A physical table as a job names it."""
    if isinstance(home, PhysicalName):
        return {"table": home.name, "physical": home.mark}
    return {"table": home}


def told(part: Slice, step: Step, home: TableName, **counts: int) -> Upkeep:
    """What was done at a physical table, or would be."""
    name = f"{home.dotted} ({home.mark})" if isinstance(home, PhysicalName) else home.dotted
    return Upkeep.model_validate({"step": step, "table": name, "status": "would" if part.dry_run else "done", **counts})
