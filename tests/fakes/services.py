"""Services that receive messages, on loopback: HTTP ones that answer as they are told, and a mail server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from aiosmtpd.controller import Controller
from requests.adapters import HTTPAdapter

from tests.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Reply:
    """What a service answers to one request."""

    status: int = 200
    body: bytes = b'{"errcode": 0, "errmsg": "ok", "code": 0, "ok": true}'
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    """It takes the request and never answers."""


@dataclass(frozen=True)
class Got:
    """A request that came."""

    url: str
    body: bytes


OK = Reply()


class Service:
    """An HTTP service. `replies` are given in order, then `usual`."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.replies: list[Reply] = []
        self.usual = OK
        self.over = threading.Event()
        self.port = 0
        self.patience_seconds = PATIENCE_SECONDS
        """Of who waits for an answer."""

    def take(self, got: Got) -> Reply:
        self.got.append(got)
        return self.replies.pop(0) if self.replies else self.usual

    @property
    def texts(self) -> Sequence[str]:
        """What came, as text."""
        return [got.body.decode() for got in self.got]

    def carrier(self) -> HTTPAdapter:
        """Brings requests for any host here."""
        return _Rerouted(self)


@contextmanager
def http_service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = service.take(Got(self.headers.get("X-Meant-For", "") + self.path, body))
            if reply.silent:
                service.over.wait()
                return
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST  # noqa: N815 - the port's

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield service
        finally:
            service.over.set()
            server.shutdown()
            thread.join()


class _Rerouted(HTTPAdapter):
    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        parts = urlsplit(str(request.url))
        request.headers["X-Meant-For"] = parts.netloc
        request.url = urlunsplit(("http", f"127.0.0.1:{self._service.port}", parts.path, parts.query, ""))
        options["timeout"] = (PATIENCE_SECONDS, self._service.patience_seconds)
        return super().send(request, **options)


class Mailbox:
    """A mail server's handler: keeps what it gets, and refuses recipients with the replies that it is given."""

    def __init__(self) -> None:
        self.mails: list[tuple[Sequence[str], str]] = []
        self.refusals: list[str] = []

    async def handle_RCPT(  # noqa: N802 - the port's
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the port's
        self.mails.append((tuple(envelope.rcpt_tos), envelope.content.decode()))
        return "250 OK"


@contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE_SECONDS)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
