"""An alert as Slack blocks, within Slack's limits, with every text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from headwater.adapters.notifiers.outline import (
    digest_headline,
    digest_line,
    headline,
    numbered_steps,
    sections,
    sql_caption,
)
from headwater.domain.incident import Incident, Link, Step

LONGEST_HEADER = 150
LONGEST_SECTION = 2900
MOST_BLOCKS = 48
Block = dict[str, object]


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no ``<!channel>``, no ``<@U…>``, no markup begun by the three characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def alert_blocks(incident: Incident) -> list[Block]:
    """The whole alert; a text that is too long for Slack is cut, and the alert says where the rest is."""
    facts = "\n".join(f"*{part.heading}:* {escaped(' · '.join(part.lines))}" for part in sections(incident))
    blocks: list[Block] = [_header(headline(incident)), _section(facts), {"type": "divider"}]
    blocks += [_section(_step(label, step)) for label, step in numbered_steps(incident.steps)]
    links = " · ".join(_link(link) for link in incident.links)
    blocks += [{"type": "context", "elements": [_markdown(links)]}] if links else []
    return blocks[:MOST_BLOCKS]


def digests(incidents: Sequence[Incident]) -> Iterator[list[Block]]:
    """Messages that together list every incident; one message holds at most 48 blocks."""
    lines = [escaped(digest_line(incident))[:LONGEST_SECTION] for incident in incidents]
    chunks: list[str] = []
    for line in lines:
        if chunks and len(chunks[-1]) + len(line) < LONGEST_SECTION:
            chunks[-1] += "\n" + line
        else:
            chunks.append(line)
    size = MOST_BLOCKS - 1
    for start in range(0, len(chunks), size):
        yield [_header(digest_headline(incidents)), *(_section(chunk) for chunk in chunks[start : start + size])]


def _step(label: str, step: Step) -> str:
    parts = [f"*{label}.* {escaped(step.text)}"]
    if step.command is not None:
        parts.append(f"```{_fenced(step.command)}```")
    if step.sql is not None:
        parts.append(f"_{escaped(sql_caption(step))}_\n```{_fenced(step.sql)}```")
    return "\n".join([*parts, *([_link(Link(label=step.url, url=step.url))] if step.url else [])])


def _fenced(code: str) -> str:
    longest = LONGEST_SECTION - 600
    text = escaped(code).replace("```", "`\u200b``")  # a zero-width space keeps the block closed
    return text if len(text) <= longest else text[:longest] + "\n… (whole: uv run headwater incidents)"


def _link(link: Link) -> str:
    if not link.url.startswith(("https://", "http://")):
        return escaped(f"{link.label}: {link.url}")
    url = re.sub(r"[|<>\s]", "", link.url).replace("&", "&amp;")
    return f"<{url}|{escaped(link.label).replace('|', '/')}>"


def _header(text: str) -> Block:
    flat = text if len(text) <= LONGEST_HEADER else text[: LONGEST_HEADER - 1] + "…"
    return {"type": "header", "text": {"type": "plain_text", "text": flat, "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": _markdown(text[:LONGEST_SECTION])}


def _markdown(text: str) -> dict[str, object]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
