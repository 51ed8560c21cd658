from __future__ import annotations

import json
import smtplib
import socket
import stat
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from headwater.adapters.embedded.kept import KeptProcess
from headwater.adapters.embedded.postgres_files import free_port


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[int, int]]:
    smtp, http = free_port(), free_port()
    arguments = [str(smtp), str(http), str(tmp_path / "box")]
    command = [sys.executable, "-m", "headwater.adapters.embedded.mailbox", *arguments]
    process = KeptProcess("mailbox", command, tmp_path / "run", tmp_path / "log")
    process.start()
    for port in (smtp, http):
        _wait_until_open(port)
    yield smtp, http
    process.let_go()
    process.wait_until_gone()
    assert not process.is_running()


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"port {port} stayed closed")


def test_mail_and_slack_messages_become_files_only_we_can_read(tmp_path: Path, ports: tuple[int, int]) -> None:
    smtp, http = ports
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "headwater@localhost", "team@example.com", "held"
    message.set_content("steps")
    message.add_alternative("<p>steps</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", smtp) as session:
        session.send_message(message)
        session.send_message(message)
    answer = httpx.post(f"http://127.0.0.1:{http}/local", json={"blocks": [{"type": "divider"}]})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert httpx.post(f"http://127.0.0.1:{http}/local", content=b"no json").status_code == 400
    box = tmp_path / "box"
    names = sorted(path.name for path in box.iterdir())
    assert names == ["mail-0001.eml", "mail-0001.html", "mail-0002.eml", "mail-0002.html", "slack-0001.json"]
    assert "<p>steps</p>" in (box / "mail-0001.html").read_text()
    assert json.loads((box / "slack-0001.json").read_text()) == {"blocks": [{"type": "divider"}]}
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in box.iterdir())
