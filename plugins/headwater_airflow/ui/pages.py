"""Headwater's pages as HTML. Every value is escaped; there is no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from headwater.domain.change import written

if TYPE_CHECKING:
    from datetime import datetime

    from headwater.domain.change import SpecChange
    from headwater.domain.errors import HeadwaterError
    from headwater.domain.incident import Incident, Step
    from headwater.domain.release import Release
    from headwater.ports.run_store import RunRecord

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b2a33;background:#fff}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid #d7e0e4}
code,pre{font:13px/1.45 ui-monospace,monospace;background:#f0f5f6;border-radius:4px}code{padding:.1rem .3rem}
pre{padding:.6rem .8rem;overflow-x:auto}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}a{color:#0b6478}
@media(prefers-color-scheme:dark){body{background:#10191e;color:#dce7ea}code,pre{background:#1c2a31}a{color:#6cc5d9}
td,th{border-color:#2b3b43}}
"""


def page(title: str, body: str) -> str:
    """A whole page."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>{body}</body></html>'


def overview(base: str, runs: Sequence[RunRecord], incidents: Sequence[Incident]) -> str:
    """What is open, and the newest runs. ``base`` is where the pages are mounted."""
    open_rows = [
        (f"<a href='{escape(base)}/incidents/{item.id}'>#{item.id}</a>", escape(item.pipeline), escape(item.title))
        for item in incidents
    ]
    run_rows = [
        (
            _run_link(base, run),
            escape(run.run_key.dag_id),
            escape(run.state),
            _time(run.planned_at),
            escape(", ".join(run.held) or run.reason),
        )
        for run in runs
    ]
    body = "<h2>Open incidents</h2>" + _table(("number", "pipeline", "what"), open_rows, "Nothing is open.")
    body += "<h2>Runs</h2>" + _table(("run", "pipeline", "state", "planned", "held, or why"), run_rows, "No run yet.")
    return page("Headwater", body)


def releases(dag_id: str, run_id: str, found: Sequence[Release], changes: Sequence[SpecChange] = ()) -> str:
    """What a run made visible, and what its files changed of the tables that were there."""
    nothing = "<p>This run published nothing: readers see what they saw before it.</p>"
    body = "".join(_release(item) for item in found) or nothing
    return page(f"{dag_id}: {run_id}", body + _changes(changes))


def release(item: Release) -> str:
    """One release."""
    return page(f"Release {item.id}", _release(item))


def incidents(dag_id: str, run_id: str, found: Sequence[Incident]) -> str:
    """What went wrong in a run."""
    body = "".join(_incident(item) for item in found) or "<p>No incident belongs to this run.</p>"
    return page(f"{dag_id}: {run_id}", body)


def incident(item: Incident) -> str:
    """One incident."""
    return page(f"Incident #{item.id}", _incident(item))


def explanation(error: HeadwaterError) -> str:
    """Why there is nothing to show."""
    return page("Headwater cannot show this now", f"<pre>{escape(str(error))}</pre>")


def _run_link(base: str, run: RunRecord) -> str:
    key = run.run_key
    address = f"{base}/runs/{quote(key.dag_id, safe='')}/{quote(key.run_id, safe='')}/release"
    return f"<a href='{escape(address)}'>{escape(key.run_id)}</a>"


def _release(item: Release) -> str:
    rows = [
        (
            f"<code>{escape(table.table.dotted)}</code>",
            "" if table.rows is None else f"{table.rows:,}",
            f"<code>{table.snapshot_id}</code>",
            "new" if table.moved else "as before",
        )
        for table in item.tables
    ]
    published = _time(item.published_at) if item.published_at else "not yet"
    commit = f", by commit <code>{escape(item.bundle_version)}</code>" if item.bundle_version else ""
    text = f"<h2>{escape(item.id)}</h2><p>{escape(item.kind)}, {escape(item.status)}, published {published}{commit}</p>"
    held = f"<p><b>Held:</b> {escape(', '.join(item.held))}</p>" if item.held else ""
    return text + held + _table(("table", "rows", "snapshot", ""), rows, "No table.")


def _changes(changes: Sequence[SpecChange]) -> str:
    rows = [
        (
            f"<code>{escape(change.table.dotted)}</code>",
            f"<code>{escape(change.path)}</code>",
            f"<code>{escape(written(change.was))}</code>",
            f"<code>{escape(written(change.now))}</code>",
            escape(change.effect.value),
            escape(change.why + (f"; lost: {change.destroys}" if change.destroys else "")),
        )
        for change in changes
    ]
    head = ("table", "what", "was", "is", "effect", "why")
    return "<h2>Changed files</h2>" + _table(head, rows, "") if rows else ""


def _incident(item: Incident) -> str:
    parts = [
        f"<h2>#{item.id} {escape(item.title)}</h2>",
        f"<p>{escape(item.status)}; owner {escape(item.owner.team)}; seen {item.count} times</p>",
        f"<p>First seen {_time(item.first_seen)}, last {_time(item.last_seen)}</p>",
        f"<pre>{escape(item.error_line)}</pre>",
        f"<p><b>Most likely:</b> {escape(item.likely_cause)}</p>",
        f"<p><b>Readers see:</b> {escape(item.still_visible)}</p>" if item.still_visible else "",
        f"<p><b>Matters to:</b> {escape(', '.join(item.matters_to))}</p>" if item.matters_to else "",
        f"<p><b>Done already:</b> {escape('; '.join(item.done_already))}</p>" if item.done_already else "",
        "<h3>What to do</h3><ol>" + "".join(f"<li>{_step(step)}</li>" for step in item.steps) + "</ol>",
        "<p>" + " · ".join(_link(link.url, link.label) for link in item.links) + "</p>",
    ]
    return "".join(parts)


def _step(step: Step) -> str:
    choice = f"<b>({escape(step.choice)})</b> " if step.choice else ""
    texts = [f"<pre>{escape(text)}</pre>" for text in (step.command, step.sql) if text]
    where = f" <i>at connection <code>{escape(step.connection)}</code></i>" if step.connection else ""
    link = f" {_link(step.url, 'open')}" if step.url else ""
    return f"{choice}{escape(step.text)}{where}{link}{''.join(texts)}"


def _link(url: str, label: str) -> str:
    """A link only to addresses a browser opens as a page: facts of a failure may hold anything."""
    if urlsplit(url).scheme not in {"http", "https"}:
        return f"{escape(label)} <code>{escape(url)}</code>"
    return f'<a href="{escape(url, quote=True)}" rel="noreferrer">{escape(label)}</a>'


def _table(head: Iterable[str], rows: Sequence[Sequence[str]], empty: str) -> str:
    if not rows:
        return f"<p>{escape(empty)}</p>"
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{titles}</tr>{lines}</table>"


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
