"""Alerts as their recipients get them. ``HEADWATER_UPDATE_SNAPSHOTS=1`` rewrites the snapshots; look at the diff."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from headwater.adapters.notifiers.html_page import alert_html, digest_html
from headwater.adapters.notifiers.plain_text import alert_text, digest_text
from headwater.adapters.notifiers.slack_blocks import MOST_BLOCKS, alert_blocks, digests
from headwater.domain.incident import Incident

SNAPSHOTS = Path(__file__).parent / "snapshots"


def matches_snapshot(name: str, text: str) -> bool:
    path = SNAPSHOTS / name
    if os.environ.get("HEADWATER_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") == text


def test_plain_text_is_as_agreed(cause: str, incident: Incident) -> None:
    assert matches_snapshot(f"{cause}.txt", alert_text(incident))


def test_html_is_as_agreed(cause: str, incident: Incident) -> None:
    assert matches_snapshot(f"{cause}.html", alert_html(incident))


def test_slack_blocks_are_as_agreed(cause: str, incident: Incident) -> None:
    blocks = json.dumps(alert_blocks(incident), indent=2, ensure_ascii=False) + "\n"
    assert matches_snapshot(f"{cause}.slack.json", blocks)


def test_every_channel_carries_every_part(incident: Incident) -> None:
    parts = [incident.error_line, incident.still_visible, "gold.delays.by_weather (analytics)", "tried 3 times"]
    parts += [step.command for step in incident.steps if step.command]
    parts += [step.sql for step in incident.steps if step.sql]
    slack = json.dumps(alert_blocks(incident), ensure_ascii=False)
    for part in parts:
        assert part in alert_text(incident)
        assert part.replace("<", "&lt;").replace('"', "&quot;") in alert_html(incident)
        assert json.dumps(part.replace("<", "&lt;"))[1:-1] in slack


def test_html_is_escaped(hostile: Incident) -> None:
    assert "<script>" not in alert_html(hostile) + digest_html([hostile])


def test_slack_mentions_nobody(hostile: Incident) -> None:
    texts = json.dumps([block for block in alert_blocks(hostile) if block["type"] != "header"])
    texts += json.dumps([blocks[1:] for blocks in digests([hostile])])
    assert "<!channel>" not in texts
    assert "<@U1>" not in texts
    assert "&lt;!channel&gt;" in texts


def test_slack_stays_within_its_limits(incident: Incident) -> None:
    long = incident.model_copy(update={"title": "t" * 4000, "likely_cause": "c" * 9000, "steps": incident.steps * 30})
    blocks = alert_blocks(long)
    assert len(blocks) <= MOST_BLOCKS
    for block in blocks:
        text = block.get("text")
        if isinstance(text, dict):
            assert len(text["text"]) <= (150 if block["type"] == "header" else 3000)


@pytest.mark.parametrize("count", [21, 500])
def test_a_digest_lists_every_incident(incident: Incident, count: int) -> None:
    many = [incident.model_copy(update={"id": number}) for number in range(1, count + 1)]
    slack = json.dumps(list(digests(many)), ensure_ascii=False)
    for rendered in (digest_text(many), digest_html(many), slack):
        assert [number for number in range(1, count + 1) if f"#{number} flights" not in rendered] == []
