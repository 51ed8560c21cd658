"""An alert as the HTML part of a mail: one column, inlined styles, no images, readable on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from headwater.adapters.notifiers.outline import (
    digest_headline,
    digest_line,
    headline,
    numbered_steps,
    sections,
    sql_caption,
)
from headwater.domain.incident import Incident, Link, Step

_COLOURS = {"failed": "#b3261e", "held": "#b26a00", "late": "#b26a00", "notice": "#1f5fa8"}
_PAGE = "margin:0;padding:16px;background:#f4f5f7;font:15px/1.45 -apple-system,Segoe UI,Roboto,sans-serif;color:#1c1e21"
_CARD = "max-width:680px;margin:0 auto;background:#fff;border:1px solid #dfe1e5;border-radius:6px;overflow:hidden"
_NAME = "padding:3px 12px 3px 0;color:#5f6368;white-space:nowrap;vertical-align:top"
_CODE = (
    "margin:6px 0 0;padding:8px 10px;background:#f1f3f4;border-radius:4px;"
    "font:13px/1.4 Menlo,Consolas,monospace;white-space:pre-wrap;word-break:break-word"
)
_NOTE = "color:#5f6368;font-size:13px"


def alert_html(incident: Incident) -> str:
    """The whole alert."""
    rows = "".join(
        f'<tr><td style="{_NAME}">{escape(part.heading)}</td>'
        f'<td style="padding:3px 0">{"<br>".join(escape(line) for line in part.lines)}</td></tr>'
        for part in sections(incident)
    )
    steps = "".join(_step(label, step) for label, step in numbered_steps(incident.steps))
    links = " · ".join(_link(link) for link in incident.links)
    body = (
        f'<table style="border-collapse:collapse;width:100%">{rows}</table>'
        f'<h2 style="font-size:15px;margin:16px 0 4px">What to do</h2>{steps}'
        f'<p style="{_NOTE};margin:16px 0 0">{links}</p>'
    )
    return _page(headline(incident), body, _COLOURS[incident.kind])


def digest_html(incidents: Sequence[Incident]) -> str:
    """Many incidents, one line each; none is left out."""
    lines = "".join(f'<li style="margin:2px 0">{escape(digest_line(item))}</li>' for item in incidents)
    body = (
        f'<p>Steps of each:</p><pre style="{_CODE}">uv run headwater incidents &lt;number&gt;</pre>'
        f'<ul style="padding-left:18px">{lines}</ul>'
    )
    return _page(digest_headline(incidents), body, _COLOURS["failed"])


def _step(label: str, step: Step) -> str:
    parts = [f"<b>{escape(label)}.</b> {escape(step.text)}"]
    if step.command is not None:
        parts.append(f'<pre style="{_CODE}">{escape(step.command)}</pre>')
    if step.sql is not None:
        parts.append(f'<div style="{_NOTE}">{escape(sql_caption(step))}</div>')
        parts.append(f'<pre style="{_CODE}">{escape(step.sql)}</pre>')
    if step.url is not None:
        parts.append(f"<div>{_link(Link(label=step.url, url=step.url))}</div>")
    return f'<div style="margin:8px 0">{"".join(parts)}</div>'


def _link(link: Link) -> str:
    if not link.url.startswith(("https://", "http://")):
        return f"{escape(link.label)}: {escape(link.url)}"
    return f'<a style="color:#1f5fa8" href="{escape(link.url)}">{escape(link.label)}</a>'


def _page(title: str, body: str, colour: str) -> str:
    head = f'<div style="padding:12px 16px;background:{colour};color:#fff;font-weight:600">{escape(title)}</div>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f'<body style="{_PAGE}"><div style="{_CARD}">{head}<div style="padding:12px 16px">{body}</div></div>'
        "</body></html>\n"
    )
