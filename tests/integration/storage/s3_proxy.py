"""A proxy before the S3 server that says 503, as a store that throttles does, or cuts connections."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.integration.storage.secured_stores import SecuredS3

_SLOW_DOWN = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"""
_OURS = {"connection", "transfer-encoding", "keep-alive"}


class S3Proxy(ThreadingHTTPServer):
    """Every ``throttled``-th request is refused, every ``cut``-th loses its connection; 0: none.

    ``listed_at``: when listings say that every object was written; None: when it was.
    """

    daemon_threads = True

    def __init__(self, upstream: SecuredS3) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.throttled, self.cut = upstream, 0, 0
        self.listed_at: str | None = None
        self.requests = self.refused = self.lost = 0
        self.counting = threading.Lock()
        self.trusting = ssl.create_default_context(cafile=str(upstream.authority.ca))
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(upstream.authority.certificate, upstream.authority.key)
        self.socket = served.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"

    def fate(self) -> str:
        """What becomes of the next request."""
        with self.counting:
            self.requests += 1
            if self.cut and self.requests % self.cut == 0:
                self.lost += 1
                return "cut"
            if self.throttled and self.requests % self.throttled == 0:
                self.refused += 1
                return "throttled"
        return "served"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no failure of the proxy's."""


class _Handler(BaseHTTPRequestHandler):
    server: S3Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        return

    def _pass_on(self) -> None:
        body = self._body()
        fate = self.server.fate()
        if fate == "cut":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fate == "throttled":
            self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
        else:
            upstream = http.client.HTTPSConnection("127.0.0.1", self.server.upstream.port, context=self.server.trusting)
            # the signature is over the host the client asked for
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _OURS | {"expect"}:
                    upstream.putheader(name, value)
            if "Content-Length" not in self.headers and body:
                upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders(body)
            found = upstream.getresponse()
            self._answer(found.status, found.getheaders(), self._aged(found.read()))
            upstream.close()

    def _aged(self, content: bytes) -> bytes:
        if self.server.listed_at is None or self.command != "GET" or b"<ListBucketResult" not in content[:200]:
            return content
        at = f"<LastModified>{self.server.listed_at}</LastModified>".encode()
        return re.sub(rb"<LastModified>[^<]*</LastModified>", at, content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return b"".join(parts)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        told = [(name, value) for name, value in headers if name.lower() not in _OURS | {"content-length"}]
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(content)))
        for name, value in (*told, ("Content-Length", length if self.command == "HEAD" else str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - the library's names


@contextmanager
def proxied(upstream: SecuredS3) -> Iterator[S3Proxy]:
    """A proxy that lets everything through until it is told otherwise."""
    proxy = S3Proxy(upstream)
    serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        serving.join()
