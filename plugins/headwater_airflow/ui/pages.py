"""Headwater's pages as HTML. Every value is escaped; there is no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from headwater.adapters.notifiers.outline import numbered_steps
from headwater.domain.change import written
from headwater_airflow.ui.links import PREFIX

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
pre{padding:.6rem .8rem;white-space:pre-wrap;overflow-wrap:anywhere}ol{list-style:none;padding:0}li{margin:.8rem 0}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}a{color:#0b6478}
@media(prefers-color-scheme:dark){body{background:#10191e;color:#dce7ea}code,pre{background:#1c2a31}a{color:#6cc5d9}
td,th{border-color:#2b3b43}}
"""


def page(title: str, body: str, ways: Sequence[tuple[str, str]] = ()) -> str:
    """A whole page. :param ways: address and words of the pages one may want to go on to."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    links = " · ".join(f'<a href="{escape(address, quote=True)}">{escape(words)}</a>' for address, words in ways)
    nav = f"<nav>{links}</nav>" if links else ""
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{nav}<h1>{escape(title)}</h1>{body}</body></html>'


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


def releases(base: str, dag_id: str, run_id: str, found: Sequence[Release], changes: Sequence[SpecChange] = ()) -> str:
    """What a run made visible, and what its files changed of the tables that were there."""
    nothing = "<p>This run published nothing: readers see what they saw before it.</p>"
    body = "".join(_release(item) for item in found) or nothing
    ways = (_home(base), (_run_address(base, dag_id, run_id, "incidents"), "What went wrong in this run"))
    return page(
        f"What {dag_id} made visible in run {run_id}",
        body + _changes(changes),
        (*ways, _in_airflow(base, dag_id, run_id)),
    )


def release(base: str, item: Release) -> str:
    """One release."""
    return page(f"Release {item.id}", _release(item), (_home(base),))


def incidents(base: str, dag_id: str, run_id: str, found: Sequence[Incident]) -> str:
    """What went wrong in a run."""
    body = "".join(_incident(item) for item in found) or "<p>No incident belongs to this run.</p>"
    made = (_run_address(base, dag_id, run_id, "release"), "What this run made visible")
    ways = (_home(base), made, _in_airflow(base, dag_id, run_id))
    return page(f"What went wrong with {dag_id} in run {run_id}", body, ways)


def incident(base: str, item: Incident) -> str:
    """One incident."""
    run_id, dag_id = item.facts.get("run_id"), item.facts.get("dag_id", item.pipeline)
    of_a_run = run_id is not None and any(link.label == "run" for link in item.links)
    run = [(_run_address(base, dag_id, str(run_id), "release"), "What its run made visible")] if of_a_run else []
    return page(f"Incident #{item.id}", _incident(item), (_home(base), *run))


def explanation(error: HeadwaterError) -> str:
    """Why there is nothing to show."""
    return page("Headwater cannot show this now", f"<pre>{escape(str(error))}</pre>")


def _home(base: str) -> tuple[str, str]:
    return f"{base}/", "Headwater"


def _in_airflow(base: str, dag_id: str, run_id: str) -> tuple[str, str]:
    root = base.removesuffix(PREFIX)
    return f"{root}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}", "The run in Airflow"


def _run_address(base: str, dag_id: str, run_id: str, what: str) -> str:
    return f"{base}/runs/{quote(dag_id, safe='')}/{quote(run_id, safe='')}/{what}"


def _run_link(base: str, run: RunRecord) -> str:
    key = run.run_key
    address = _run_address(base, key.dag_id, key.run_id, "release")
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
    when = f" {_time(item.published_at)}" if item.published_at else ""
    commit = f", by commit <code>{escape(item.bundle_version)}</code>" if item.bundle_version else ""
    text = f"<h2>{escape(item.id)}</h2><p>{escape(item.kind)}, {escape(item.status)}{when}{commit}</p>"
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
    times = "once" if item.count == 1 else f"{item.count} times"
    parts = [
        f"<h2>#{item.id} {escape(item.title)}</h2>",
        f"<p>{escape(item.status)}; owner {escape(item.owner.team)}; seen {times}</p>",
        f"<p>First seen {_time(item.first_seen)}, last {_time(item.last_seen)}</p>",
        f"<pre>{escape(item.error_line)}</pre>",
        f"<p><b>Most likely:</b> {escape(item.likely_cause)}</p>",
        f"<p><b>Readers see:</b> {escape(item.still_visible)}</p>" if item.still_visible else "",
        f"<p><b>Matters to:</b> {escape(', '.join(item.matters_to))}</p>" if item.matters_to else "",
        f"<p><b>Done already:</b> {escape('; '.join(item.done_already))}</p>" if item.done_already else "",
        "<h3>What to do</h3>",
        "<p>Steps with letters are alternatives: follow one of them.</p>" if any(s.choice for s in item.steps) else "",
        "<ol>" + "".join(f"<li>{_step(label, step)}</li>" for label, step in numbered_steps(item.steps)) + "</ol>",
        "<p>" + " · ".join(_link(link.url, link.label) for link in item.links) + "</p>",
    ]
    return "".join(parts)


def _step(label: str, step: Step) -> str:
    texts = [f"<pre>{escape(text)}</pre>" for text in (step.command, step.sql) if text]
    where = f" <i>at connection <code>{escape(step.connection)}</code></i>" if step.connection else ""
    link = f" {_link(step.url, 'open')}" if step.url else ""
    return f"<b>{escape(label)}</b> {escape(step.text)}{where}{link}{''.join(texts)}"


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
