"""A mailbox and a Slack channel for one machine: what would be sent to people becomes files they can open.

``python -m headwater.adapters.embedded.mailbox SMTP_PORT HTTP_PORT FOLDER`` listens on loopback only and writes
``mail-<n>.eml`` with ``mail-<n>.html`` beside it, and ``slack-<n>.json`` for each webhook call.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

MAXIMUM_BYTES = 10 * 2**20


class Mailbox:
    """Numbered files in one folder; a file appears complete or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()

    def keep(self, kind: str, contents: dict[str, bytes]) -> Path:
        """Write ``<kind>-<n>.<ending>`` for each ending; returns the first."""
        with self._lock:
            number = 1 + sum(1 for _ in self._folder.glob(f"{kind}-*.{next(iter(contents))}"))
            paths = [self._folder / f"{kind}-{number:04d}.{ending}" for ending in contents]
            # the first ending is what readers look for, so it comes last
            for path, content in reversed(list(zip(paths, contents.values(), strict=True))):
                draft = path.with_suffix(".draft")
                draft.write_bytes(content)
                draft.replace(path)
        return paths[0]

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        content: bytes = envelope.original_content
        message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        html = message.get_body(("html",))
        parts = {"eml": content} | ({"html": html.get_content().encode()} if html is not None else {})
        self.keep("mail", parts)
        return "250 kept"


def _webhook(mailbox: Mailbox) -> type[BaseHTTPRequestHandler]:
    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(min(size, MAXIMUM_BYTES))
            try:
                text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
            except ValueError:
                self.send_error(400, "invalid_payload")
                return
            mailbox.keep("slack", {"json": text.encode()})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

    return Webhook


async def _serve(smtp_port: int, http_port: int, folder: Path) -> None:
    mailbox = Mailbox(folder)
    http = ThreadingHTTPServer(("127.0.0.1", http_port), _webhook(mailbox))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, data_size_limit=MAXIMUM_BYTES), "127.0.0.1", smtp_port)
    async with server:
        await server.serve_forever()


def main(arguments: list[str]) -> None:
    """Serve until told to stop."""
    os.umask(0o077)
    smtp_port, http_port, folder = arguments
    try:
        asyncio.run(_serve(int(smtp_port), int(http_port), Path(folder)))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
