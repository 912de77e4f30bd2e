"""What apps say of themselves: metrics of their own, health, certificates; bounded, and no failure ends the rest."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.measuring.certificates import certificate_expiry, not_after
from reconciler.resources.measuring.checkups import Checkups
from reconciler.resources.measuring.exposition import parse_exposition
from reconciler.resources.measuring.readings import Readings
from reconciler.resources.measuring.sampling import Sampler
from tests.fakes.clock import FakeClock

TEXT = """\
# HELP jobs_total Jobs that ended.
# TYPE jobs_total counter
jobs_total{result="ok",queue="a\\"b"} 12 1395066363000
jobs_total { queue="x" , result="bad" } 3e1
jobs_total_created 9
other NaN
up +Inf
broken{ 1
"""


def test_prometheus_text_gives_the_values_of_one_metric_by_its_sorted_labels() -> None:
    assert parse_exposition(TEXT, "jobs_total") == {
        'queue="a\\"b",result="ok"': 12.0,
        'queue="x",result="bad"': 30.0,
    }


@pytest.mark.parametrize(("text", "name"), [(TEXT, "other"), (TEXT, "up"), (TEXT, "broken"), (TEXT, "jobs"), ("", "x")])
def test_what_is_no_finite_number_of_that_name_is_none(text: str, name: str) -> None:
    assert parse_exposition(text, name) == {}


def test_a_text_that_is_one_number_is_the_metric() -> None:
    assert parse_exposition(" 42.5\n", "queue_length") == {"": 42.5}


def test_labels_without_end_are_cut_off() -> None:
    assert len(parse_exposition("\n".join(f'x{{id="{number}"}} 1' for number in range(5000)), "x")) == 100


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def checkups(tmp_path: Path, clock: FakeClock, *metrics: Mapping[str, Any], **more: Any) -> Checkups:
    made = Checkups(PosixSystem(str(tmp_path), clock=clock))
    made.declare([{"app": "web", "services": [], "health": [], "metrics": list(metrics), **more}])
    made.run_due(wait=True)
    return made


def test_commands_and_files_are_read_and_one_that_fails_is_told(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "backup.prom").write_text('backup_age{db="a"} 7\n')
    values, notes = checkups(
        tmp_path,
        clock,
        {"name": "queue", "command": ["echo", "5"], "interval": 30.0},
        {"name": "backup_age", "textfile": "/backup.prom", "interval": 30.0},
        {"name": "broken", "command": ["false"], "interval": 30.0},
        {"name": "words", "command": ["echo", "many"], "interval": 30.0},
    ).found()
    assert values == {"queue": 5.0, 'backup_age[db="a"]': 7.0}
    assert len(notes) == 2
    assert "metric broken: exit code 1" in notes[0]
    assert "no number" in notes[1]


def test_a_result_counts_for_three_of_its_periods(tmp_path: Path, clock: FakeClock) -> None:
    made = checkups(tmp_path, clock, {"name": "queue", "command": ["echo", "5"], "interval": 10.0})
    clock.sleep(29)
    assert made.found()[0] == {"queue": 5.0}
    clock.sleep(2)
    assert made.found()[0] == {}


def test_a_check_that_wants_to_be_made_more_often_than_samples_are_taken_is_made_for_each(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = checkups(tmp_path, clock, {"name": "queue", "command": ["echo", "5"], "interval": 1.0})
    clock.sleep(60)
    made.run_due(wait=True)
    clock.sleep(60)
    assert made.found()[0] == {"queue": 5.0}


def test_declaring_the_same_again_keeps_what_was_found(tmp_path: Path, clock: FakeClock) -> None:
    made = Checkups(PosixSystem(str(tmp_path), clock=clock))
    app = {"app": "web", "metrics": [{"name": "queue", "command": ["echo", "5"], "interval": 10.0}]}
    made.declare((app,))
    made.run_due(wait=True)
    made.declare((dict(app),))
    assert made.found()[0] == {"queue": 5.0}
    made.declare(())
    assert made.found()[0] == {}


def test_a_check_is_made_again_when_its_period_is_over(tmp_path: Path, clock: FakeClock) -> None:
    count = tmp_path / "count"
    made = checkups(
        tmp_path, clock, {"name": "n", "command": ["sh", "-c", f"echo x >>{count}; wc -l <{count}"], "interval": 10.0}
    )
    made.run_due(wait=True)
    assert made.found()[0] == {"n": 1.0}
    clock.sleep(11)
    made.run_due(wait=True)
    assert made.found()[0] == {"n": 2.0}


def test_health_is_one_number_for_an_app(tmp_path: Path, clock: FakeClock) -> None:
    well = {"command": {"argv": ["true"]}}
    ill = {"command": {"argv": ["false"]}}
    assert checkups(tmp_path, clock, health=[well, well]).found()[0] == {"health.ok[web]": 1.0}
    assert checkups(tmp_path, clock, health=[well, ill]).found()[0] == {"health.ok[web]": 0.0}


def test_a_page_of_metrics_is_read_over_http(tmp_path: Path, clock: FakeClock) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 500)
            self.end_headers()
            self.wfile.write(b"requests 3\n")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        values, notes = checkups(
            tmp_path,
            clock,
            {"name": "requests", "url": f"{url}/metrics", "interval": 30.0},
            {"name": "lost", "url": f"{url}/nothing", "interval": 30.0},
        ).found()
    finally:
        server.shutdown()
        server.server_close()
    assert values == {"requests": 3.0}
    assert "answers 500" in notes[0]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "9",
         "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    return tmp_path / "cert.pem"


def test_the_end_of_a_certificate_is_known_also_where_nobody_would_trust_it(certificate: Path) -> None:
    printed = subprocess.run(
        ["openssl", "x509", "-enddate", "-noout", "-in", str(certificate)], check=True, capture_output=True, text=True
    ).stdout
    expected = ssl.cert_time_to_seconds(printed.strip().partition("=")[2])
    assert not_after(ssl.PEM_cert_to_DER_cert(certificate.read_text())) == expected
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=True)
    threading.Thread(target=server.handle_request, daemon=True).start()
    try:
        assert certificate_expiry(f"127.0.0.1:{server.server_port}", "") == expected
    finally:
        server.server_close()


@pytest.mark.parametrize("noise", [b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x03\x02\x01\x01", bytes(100)])
def test_noise_is_no_certificate(noise: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        not_after(noise)


def test_a_sample_holds_counters_checks_and_the_hosts_own_time(tmp_path: Path, clock: FakeClock) -> None:
    times = iter([10.0, 12.0])
    sampler = Sampler(
        lambda at: Readings(at, {"user": next(times), "idle": at}, cores=2), PosixSystem(str(tmp_path), clock=clock)
    )
    assert "cpu.percent" not in sampler.sample()["values"]
    clock.sleep(6)
    second = sampler.sample()
    assert second["values"]["cpu.percent"] == 25
    assert second["at"] == clock.seconds
    assert second["notes"] == []


def test_a_system_without_proc_says_what_is_missing(tmp_path: Path, clock: FakeClock) -> None:
    sampler = Sampler(lambda at: Readings(at, {}), PosixSystem(str(tmp_path), clock=clock))
    assert "no /proc" in sampler.sample()["notes"][0]
