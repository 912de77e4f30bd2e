"""Health checks against real listeners on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from reconciler.resources.failure import Failure
from reconciler.resources.measuring.health import parse_health, wait_healthy
from tests.fakes.system import FakeHost, FakeService


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/")
        self.end_headers()
        self.wfile.write(b"all is well")

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def check(**declared: Any) -> tuple[bool, str]:
    event = wait_healthy(parse_health({"within": "0s", **declared}), FakeHost())
    return event.ok, event.message


def test_http_looks_at_status_and_text_and_follows_no_redirect(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    assert check(http={"url": url}) == (True, "")
    assert check(http={"url": url, "contains": "well"}) == (True, "")
    assert check(http={"url": url, "contains": "ill"}) == (False, "the answer does not contain 'ill'")
    assert check(http={"url": f"{url}/moved"}) == (False, "status 302, expected 200")
    assert check(http={"url": f"{url}/moved", "status": 302}) == (True, "")


def test_tcp_and_http_say_why_they_cannot_connect() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert check(tcp={"port": port}) == (False, "Connection refused")
        assert check(http={"url": f"http://127.0.0.1:{port}/"}) == (False, "Connection refused")


def test_tcp_connects(port: int) -> None:
    assert check(tcp={"port": port}) == (True, "")


def test_tls_wants_a_certificate_that_it_can_trust(port: int) -> None:
    ok, message = check(tls={"address": f"127.0.0.1:{port}"})
    assert not ok
    assert message


def test_a_service_has_to_run() -> None:
    host = FakeHost()
    declared = parse_health({"service": {"name": "web"}, "within": "0s"})
    assert not wait_healthy(declared, host).ok
    host.services["web"] = FakeService(running=True)
    assert wait_healthy(declared, host).ok


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"http": {}},
        {"http": {"url": "file:///etc/passwd"}},
        {"tcp": {"port": "x"}},
        {"tcp": {"port": 1}, "often": 1},
    ],
)
def test_a_check_that_cannot_be_understood_is_an_error(declared: dict[str, Any]) -> None:
    with pytest.raises(Failure) as wrong:
        parse_health(declared)
    assert wrong.value.code == "invalid-field"
