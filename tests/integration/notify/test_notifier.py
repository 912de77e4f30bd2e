"""The notifier between a real Valkey and services on loopback: nothing lost, nothing flooded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import InvalidInput, Unavailable
from reconciler.loops.monitoring.notifier import Notifier
from reconciler.model.alerts import Notification
from reconciler.model.delivery import Delivery, Message
from reconciler.model.manifests import Fleet, Manifests
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import Channel
from reconciler.model.selector import EVERYTHING
from reconciler.notify.services import per_minute
from reconciler.notify.urls import Open, Opener
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.fakes.clock import FakeClock
from tests.fakes.services import OK, Reply, Service, mail_server
from tests.integration.store.servers import valkey
from tests.ports import free_port
from tests.unit.alerting.notifications import many, notification

WECOM = "wecombot://aVeryPrivateKey0123456789"
HOOK = "jsons://hooks.example.com/x"


class Said:
    """A log that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, event: str, **values: Any) -> None:
        self.lines.append(f"{event} {values}")

    warning = error = info


def channel(*urls: Any, name: str = "night", **fields: Any) -> Channel:
    return Channel(Metadata(name, Origin("", 0)), urls, EVERYTHING, **fields)


def manifests(*channels: Channel, templates: Mapping[str, str] | None = None) -> Manifests:
    fleet = Fleet(Metadata("example", Origin("", 0)))
    return Manifests(fleet, {}, {}, {}, channels={it.name: it for it in channels}, templates=templates or {})


@dataclass
class Bench:
    """An ops server's notifier, with hands on its clock, its secrets and its services."""

    store: Store
    service: Service
    directory: Path
    clock: FakeClock = field(default_factory=FakeClock)
    secrets: dict[str, str] = field(default_factory=dict)
    said: Said = field(default_factory=Said)

    def __post_init__(self) -> None:
        opener = Opener(self.directory, self.clock, self.said, self.service.carrier())
        self.notifier = self.another(opener.open)

    def another(self, open_url: Any) -> Notifier:
        return Notifier(
            self.store, open_url, per_minute=per_minute, resolve=self._resolve, clock=self.clock, log=self.said
        )

    def _resolve(self, paths: Iterable[str]) -> Mapping[str, str]:
        try:
            return {path: self.secrets[path] for path in paths}
        except KeyError as error:
            raise InvalidInput.of("secret-not-found", f"secret {error.args[0]} not found") from None

    def put(self, *notifications: Notification) -> None:
        self.store.outbox.put(notifications)

    def now(self, count: int = 1, channel: str = "night", name: str = "n") -> list[Notification]:
        """New notifications, made at this moment."""
        made = many(count, at=datetime.fromtimestamp(self.clock.seconds, UTC), channel=channel)
        return [notification(f"{name}{it.id}", *it.alerts, at=it.created_at, channel=channel) for it in made]

    def run(self, fleet: Manifests, seconds: float, step: float = 1.0) -> int:
        """Ticks for so long; how many messages arrived."""
        arrived, end = 0, self.clock.seconds + seconds
        while self.clock.seconds < end:
            arrived += self.notifier.tick(fleet)
            self.clock.sleep(step)
        return arrived


@pytest.fixture
def bench(store: Store, service: Service, tmp_path: Path) -> Bench:
    return Bench(store, service, tmp_path)


def contents(service: Service) -> list[str]:
    """The texts of messages that a WeCom robot got."""
    return [json.loads(text)["text"]["content"] for text in service.texts]


def test_a_notification_arrives_once(bench: Bench) -> None:
    bench.put(*bench.now())
    fleet = manifests(channel(WECOM))
    assert bench.run(fleet, 600, 10) == 1
    (text,) = contents(bench.service)
    assert text.startswith("FIRING critical: DiskFull on web-0")
    assert "reconcile alerts ack DiskFull@web-0" in text


def test_a_resend_goes_only_to_the_target_that_failed(bench: Bench) -> None:
    port = free_port()
    fleet = manifests(channel(WECOM, f"mailto://127.0.0.1:{port}/?from=fleet@example.org&to=eva@example.org"))
    bench.put(*bench.now())
    assert bench.run(fleet, 60, 5) == 1
    with mail_server(port) as mailbox:
        assert bench.run(fleet, 600, 30) == 1
    assert len(mailbox.mails) == len(bench.service.got) == 1


def test_too_fast_for_a_robot_becomes_a_digest_and_never_more_than_its_rate(bench: Bench) -> None:
    bench.put(*bench.now(500))
    assert bench.run(manifests(channel(WECOM)), 60) == 5
    texts = contents(bench.service)
    assert ["DIGEST" in text for text in texts] == [False] * 4 + [True]
    assert "DIGEST of 496 messages: 496 firing" in texts[-1]


def test_what_fits_into_a_minute_is_sent_message_by_message(bench: Bench) -> None:
    bench.put(*bench.now(20))
    assert bench.run(manifests(channel(WECOM)), 60) == 20
    assert not any("DIGEST" in text for text in contents(bench.service))


def test_the_rate_of_a_channel_overrides_that_of_the_service(bench: Bench) -> None:
    bench.put(*bench.now(3))
    assert bench.run(manifests(channel(WECOM, rate_per_minute=1.0)), 50) == 1
    assert "The latest state of each alert" in contents(bench.service)[0]


def test_a_service_that_says_429_is_left_alone_as_long_as_it_asks(bench: Bench) -> None:
    bench.service.replies = [Reply(429, b"", {"Retry-After": "300"})]
    bench.put(*bench.now(3))
    fleet = manifests(channel(WECOM))
    assert (bench.run(fleet, 299), len(bench.service.got)) == (0, 1)
    assert (bench.run(fleet, 10), len(bench.service.got)) == (3, 4)


def test_a_channel_that_is_down_for_an_hour_loses_nothing_and_floods_nobody(bench: Bench) -> None:
    fleet = manifests(channel(WECOM))
    bench.service.usual = Reply(500, b"down")
    for round_ in range(6):
        bench.put(*bench.now(4, name=f"r{round_}-"))
        bench.run(fleet, 600, 10)
    bench.clock.sleep(900)
    asked = len(bench.service.got)
    assert asked < 30
    assert sum(line.startswith("not-notified") for line in bench.said.lines) == 1
    bench.service.usual = OK
    bench.run(fleet, 300)
    texts = contents(bench.service)[asked:]
    (digest,) = [text for text in texts if "DIGEST" in text]
    assert "DIGEST of 8 messages" in digest  # those of the first two rounds are older than an hour by now
    assert len(texts) == 1 + 16


def test_a_refused_message_holds_up_no_other_and_is_tried_again_when_someone_may_have_mended_it(bench: Bench) -> None:
    bench.service.replies = [Reply(400, b"bad"), OK, OK, OK]
    bench.put(*bench.now(3))
    fleet = manifests(channel(HOOK))
    assert bench.run(fleet, 60) == 2
    assert bench.run(fleet, 900) == 1


def test_silence_and_a_refused_connection_are_survived(bench: Bench) -> None:
    bench.service.replies, bench.service.patience_seconds = [Reply(silent=True)], 0.2
    bench.put(*bench.now())
    fleet = manifests(channel(HOOK))
    assert bench.run(fleet, 30) == 1


class _DiesInside(Exception):
    pass


def test_a_notifier_that_dies_while_it_sends_loses_nothing(bench: Bench) -> None:
    class Dying:
        schema, style = "jsons", Opener(Path(), FakeClock(), Said()).open("log:").style

        def send(self, message: Message) -> Delivery:
            raise _DiesInside

    bench.put(*bench.now())
    fleet = manifests(channel(HOOK))
    with pytest.raises(_DiesInside):
        bench.another(lambda _: Dying()).tick(fleet)
    assert bench.run(fleet, 119) == 0
    assert bench.run(fleet, 5) == 1


def test_two_notifiers_at_once_send_each_message_once(bench: Bench) -> None:
    other = bench.another(Opener(bench.directory, bench.clock, bench.said, bench.service.carrier()).open)
    fleet = manifests(channel(HOOK))

    def meanwhile(url: str) -> Open:
        other.tick(fleet)
        return Opener(bench.directory, bench.clock, bench.said, bench.service.carrier()).open(url)

    bench.put(*bench.now(3))
    bench.another(meanwhile).tick(fleet)
    assert len(bench.service.got) == 3


def test_the_secret_of_a_url_is_looked_up_when_it_is_needed_and_a_missing_one_is_told(bench: Bench) -> None:
    fleet = manifests(channel({"secret": "wecom/key"}))
    bench.put(*bench.now())
    assert bench.run(fleet, 60) == 0
    assert [line for line in bench.said.lines if line.startswith("not-notified")] == [
        "not-notified {'channel': 'night', 'url': 1, 'reason': 'secret wecom/key not found'}"
    ]
    bench.secrets["wecom/key"] = WECOM
    assert bench.run(fleet, 600, 10) == 1
    assert "aVeryPrivateKey" not in "".join(bench.said.lines)


def test_a_template_that_fails_is_told_and_the_message_arrives(bench: Bench) -> None:
    fleet = manifests(channel(WECOM, template="night.j2"), templates={"night.j2": "{{ nothing.here }}"})
    bench.put(*bench.now())
    assert bench.run(fleet, 5) == 1
    assert "templates/night.j2 of channel night failed" in contents(bench.service)[0]
    assert any(line.startswith("template-failed") for line in bench.said.lines)


def test_a_redis_that_is_killed_and_started_again_loses_nothing(tmp_path: Path, service: Service) -> None:
    data, port = tmp_path / "valkey", free_port()
    kept = ("--appendonly", "yes", "--appendfsync", "always")
    with ExitStack() as first:
        first.enter_context(valkey(data, *kept, port=port))
        opened = at_url(f"redis://127.0.0.1:{port}/0", SystemClock())
        bench = Bench(Store(opened), service, tmp_path)
        fleet = manifests(channel(WECOM))
        service.replies = [OK, Reply(500, b"down")]
        bench.put(*bench.now(3))
        assert bench.run(fleet, 3) == 1
        bench.put(*bench.now(name="m"))
    with pytest.raises(Unavailable):
        bench.notifier.tick(fleet)
    with valkey(data, *kept, port=port):
        assert bench.run(fleet, 60) == 3
        opened.close()
    assert len({text.splitlines()[0] for text in contents(service)}) == 3  # n0 and m are about the same alert


def test_a_redis_that_is_lost_between_sending_and_noting_it_costs_one_message_twice(bench: Bench) -> None:
    class Cut(Opener):
        def open(self, url: str) -> Open:
            opened = super().open(url)
            return _ThenCut(opened)

    class _ThenCut:
        def __init__(self, opened: Open) -> None:
            self._opened, self.schema, self.style, self.recipients = opened, opened.schema, opened.style, 1

        def send(self, message: Message) -> Delivery:
            self._opened.send(message)
            raise Unavailable.of("redis-unreachable", "cannot be reached")

    bench.put(*bench.now(2))
    fleet = manifests(channel(HOOK))
    with pytest.raises(Unavailable):
        bench.another(Cut(bench.directory, bench.clock, bench.said, bench.service.carrier()).open).tick(fleet)
    assert bench.run(fleet, 600, 10) == 2
    assert len(bench.service.got) == 3


def test_a_channel_that_is_gone_is_told_and_holds_up_nothing(bench: Bench) -> None:
    bench.put(*bench.now(channel="gone"), *bench.now(name="m"))
    assert bench.run(manifests(channel(HOOK)), 5) == 1
    assert any(line.startswith("channel-gone") for line in bench.said.lines)
    assert bench.store.outbox.waiting() == []


def test_the_log_channel_needs_no_service(bench: Bench) -> None:
    bench.put(*bench.now())
    assert bench.run(manifests(channel("log:")), 5) == 1
    assert "FIRING critical: DiskFull on web-0" in (bench.directory / "notifications.log").read_text()
