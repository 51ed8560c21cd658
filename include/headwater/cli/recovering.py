"""``backup``, ``restore``, ``rebuild-catalog``, ``dr-drill``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from headwater.adapters.profile import PROFILE_VARIABLE
from headwater.cli.opening import embedded_stack, opened_platform
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.backup_errors import BackupError
from headwater.domain.errors import RequestError

KEPT = 3
_ALL = 1_000_000


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)
    app.command("rebuild-catalog")(rebuild_catalog)
    app.command("dr-drill")(dr_drill)


def backup(
    keep: Annotated[
        int, typer.Option(min=1, help="Backups to keep; older ones go, with the log only they need.")
    ] = KEPT,
    as_json: Json = False,
) -> None:
    """Back up the embedded Postgres; from the first backup on, its log is archived as well."""
    from headwater.adapters.embedded.backup import prune, take_backup

    _refuse_a_profile()
    with embedded_stack() as stack:
        taken = take_backup(stack.postgres, stack.backups)
        gone = prune(stack.backups, stack.home / "backup" / "wal", keep)
    if as_json:
        print_json({**taken.model_dump(mode="json"), "folder": str(stack.backups / taken.id), "removed": gone})
        return
    spent = (taken.finished_at - taken.started_at).total_seconds()
    console().print(f"backup {taken.id}: {taken.size_bytes / 1e6:.1f} MB in {spent:.1f} s, in {stack.backups}")
    for name in gone:
        console().print(f"removed {name}")


def restore(
    to: Annotated[Path, typer.Option(help="A folder that is absent or empty.")],
    at: Annotated[str | None, typer.Option(help="An instant with its offset, such as 2026-01-31T12:00:00Z.")] = None,
    backup: Annotated[str | None, typer.Option(help="Start from this one instead of the newest that fits.")] = None,
    source: Annotated[Path | None, typer.Option("--from", help="Backup folder; default: that of the home.")] = None,
    as_json: Json = False,
) -> None:
    """Restore the embedded Postgres into a folder of its own, to an instant or to the end of the archive."""
    from headwater.adapters.embedded.restoring import restore as bring_back

    _refuse_a_profile()
    folder = (source or embedded_stack().home / "backup").resolve()
    done = bring_back(folder / "base", folder / "wal", to.resolve(), _instant(at), backup)
    if as_json:
        print_json(done.model_dump(mode="json"))
        return
    newest = "none after the backup" if done.newest_commit_at is None else str(done.newest_commit_at)
    console().print(f"restored {done.backup} and {done.segments} segments into {done.data_dir}; last commit: {newest}")
    console().print("put it in the place of postgres/ in the home while nothing runs, then take a backup")


def rebuild_catalog(
    choose: Annotated[list[str] | None, typer.Option(help="The metadata file to take where two could be.")] = None,
    without_run_store: Annotated[bool, typer.Option(help="The run store is lost, too.")] = False,
    as_json: Json = False,
) -> None:
    """Register all tables of the warehouse in an empty catalog, by their metadata files."""
    from headwater.adapters.iceberg.rebuilding import rebuild_catalog as rebuild

    with opened_platform() as platform:
        releases = () if without_run_store else platform.runs.releases(limit=_ALL)
        if not releases and not without_run_store:
            raise BackupError(
                "The run store knows no release, so a publish that died would be taken for done.",
                remedy="Restore the run store first; if it is lost for good, add --without-run-store.",
            )
        found = rebuild(platform.settings.catalog, releases, choose or ())
    if as_json:
        print_json(found._asdict())
        return
    print_table("Registered", ["table", "metadata file"], list(found.registered.items()))
    for folder in found.left_out:
        console().print(f"left out, for maintenance dropped it: {folder}")


def dr_drill(as_json: Json = False) -> None:
    """Lose the demo's databases on paper, and restore them beside it; 1 when anything is not back in time."""
    from headwater.cli.drill import RPO_SECONDS, RTO_SECONDS, drill

    _refuse_a_profile()
    with embedded_stack() as stack:
        found = drill(stack, (lambda _: None) if as_json else lambda text: console().print(f"[dim]{text}[/dim]"))
    if as_json:
        print_json(
            {**vars(found), "restored": vars(found.restored), "rebuilt": vars(found.rebuilt), "good": found.good}
        )
    else:
        rows = [
            ("RPO reached", f"{found.rpo_seconds:.1f} s", f"at most {RPO_SECONDS:.0f} s"),
            ("RTO reached", f"{found.rto_seconds:.1f} s", f"at most {RTO_SECONDS:.0f} s"),
            ("commits restored, to the instant", found.beats_restored, found.beats_expected),
            ("releases equal, restored", found.restored.releases, "all"),
            ("tables of releases, rows compared", f"{found.restored.tables:,}, {found.restored.rows:,}", "all"),
            ("releases equal, catalog rebuilt", found.rebuilt.releases, "all"),
            ("catalog rebuilt", f"{found.tables_rebuilt} tables in {found.rebuild_seconds:.1f} s", ""),
        ]
        print_table("Recovery drill", ["", "found", "wanted"], [tuple(map(str, row)) for row in rows])
        for line in [*found.restored.differences, *found.rebuilt.differences]:
            console().print(f"[red]{line}[/red]")
        console().print("Recovered." if found.good else "[red]Not recovered as it should be.[/red]")
    if not found.good:
        raise typer.Exit(1)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise RequestError("That is no instant.", got=text, allowed="2026-01-31T12:00:00Z: with an offset or Z")
    return found.astimezone(UTC)


def _refuse_a_profile() -> None:
    if os.environ.get(PROFILE_VARIABLE):
        raise BackupError(
            "This works on the embedded Postgres, and a profile names another one.", got=f"{PROFILE_VARIABLE} is set",
            remedy="Production is backed up by CloudNativePG: docs/operations/backup-and-restore.md.",
        )  # fmt: skip
