"""Messages are sent for real, to services on loopback that answer as the real ones do."""

from __future__ import annotations

import email
import json
import re
from collections.abc import Iterator
from email.message import Message as Mail
from pathlib import Path

import pytest

from reconciler.model.delivery import Delivery, Message, Outcome, Style
from reconciler.notify.urls import Opener, call
from tests.fakes.clock import FakeClock
from tests.fakes.services import Reply, Service, http_service, mail_server
from tests.ports import free_port

KEY = "aVeryPrivateKey0123456789"
URLS = {
    "wecombot": f"wecombot://{KEY}",
    "wechat": f"wechat://corpid1:{KEY}@1000002/@all",
    "dingtalk": f"dingtalk://{KEY}",
    "feishu": f"feishu://{KEY}",
    "slack": f"slack://T1JJ3T3L2/A1BRTD4JD/{KEY[:24]}/#ops",
    "tgram": f"tgram://123456789:{KEY}_abcdefghij/12315544/",
    "twilio": f"twilio://AC{'a' * 32}:{'b' * 32}@15550001111/15550002222",
    "sns": f"sns://AHIAJGNT76XIMXDBIJYA/{KEY}/us-east-1/+15551112222",
    "jsons": f"jsons://hooks.example.com/{KEY}",
}
TEXT = Message("FIRING critical: DiskFull on web-1", "disk is full", Style.PLAIN)


class Said:
    """A log that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **values: object) -> None:
        self.events.append((event, values))


@pytest.fixture
def service() -> Iterator[Service]:
    with http_service() as made:
        yield made


def send(url: str, service: Service, message: Message = TEXT) -> Delivery:
    opener = Opener(Path("/nonexistent"), FakeClock(), Said(), service.carrier())
    return opener.open(url).send(message)


WELL = {
    "slack": Reply(body=b"ok"),
    "twilio": Reply(201, b"{}"),
    "wechat": Reply(body=b'{"errcode": 0, "errmsg": "ok", "access_token": "t", "expires_in": 7200}'),
}


@pytest.mark.parametrize("name", sorted(URLS))
def test_a_message_reaches_the_service(name: str, service: Service) -> None:
    service.usual = WELL.get(name, Reply())
    assert send(URLS[name], service) == Delivery(Outcome.SENT)
    assert "disk" in service.texts[-1]


@pytest.mark.parametrize("name", sorted(URLS))
def test_too_many_requests_means_later_with_the_wait_that_the_service_asks_for(name: str, service: Service) -> None:
    service.usual = Reply(429, b"slow down", {"Retry-After": "37"})
    told = send(URLS[name], service)
    assert (told.outcome, told.retry_after_seconds) == (Outcome.LATER, 37.0)


@pytest.mark.parametrize("name", sorted(URLS))
def test_an_error_of_the_service_means_later(name: str, service: Service) -> None:
    service.usual = Reply(500, b"oops")
    assert send(URLS[name], service) == Delivery(Outcome.LATER, "HTTP 500: oops")


@pytest.mark.parametrize("name", sorted(URLS))
def test_a_wrong_key_is_refused_and_never_shown(name: str, service: Service) -> None:
    words = re.findall(r"[A-Za-z0-9_+]{16,}", URLS[name])
    service.usual = Reply(403, f"no such key {words[0]}".encode())
    told = send(URLS[name], service)
    assert told == Delivery(Outcome.REFUSED, "HTTP 403: no such key ***")


@pytest.mark.parametrize(
    ("name", "body", "outcome"),
    [
        ("wecombot", {"errcode": 45009, "errmsg": "api freq out of limit"}, Outcome.LATER),
        ("wecombot", {"errcode": 93000, "errmsg": "invalid webhook url"}, Outcome.REFUSED),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, Outcome.LATER),
        ("dingtalk", {"errcode": 310000, "errmsg": "keywords not in content"}, Outcome.REFUSED),
        ("feishu", {"code": 11232, "msg": "frequency limited"}, Outcome.LATER),
        ("feishu", {"code": 19001, "msg": "param invalid"}, Outcome.REFUSED),
        ("wechat", {"errcode": 45009, "errmsg": "api freq out of limit"}, Outcome.LATER),
    ],
)
def test_an_error_inside_an_http_200_is_heard(
    name: str, body: dict[str, object], outcome: Outcome, service: Service
) -> None:
    service.usual = Reply(200, json.dumps(body).encode())
    assert send(URLS[name], service).outcome is outcome


def test_telegram_says_in_its_answer_how_long_to_wait(service: Service) -> None:
    service.usual = Reply(429, b'{"ok": false, "error_code": 429, "parameters": {"retry_after": 11}}')
    assert send(URLS["tgram"], service).retry_after_seconds == 11


def test_a_retry_after_may_be_a_date(service: Service) -> None:
    service.usual = Reply(503, b"", {"Retry-After": "Mon, 12 Jan 1970 13:47:40 GMT"})
    assert send(URLS["jsons"], service).retry_after_seconds == 60


def test_a_service_that_throttles_in_its_own_way_is_tried_later(service: Service) -> None:
    service.usual = Reply(400, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>")
    assert send(URLS["sns"], service).outcome is Outcome.LATER


def test_silence_means_later(service: Service) -> None:
    service.usual, service.patience_seconds = Reply(silent=True), 0.2
    assert send(URLS["jsons"], service) == Delivery(Outcome.LATER, "no answer in time")


def test_a_port_where_nobody_listens_means_later() -> None:
    opener = Opener(Path("/nonexistent"), FakeClock(), Said())
    told = opener.open(f"json://127.0.0.1:{free_port()}/{KEY}").send(TEXT)
    assert told == Delivery(Outcome.LATER, "connection refused")


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("wecombot", Style.PLAIN),
        ("dingtalk", Style.MARKDOWN),
        ("slack", Style.MARKDOWN),
        ("twilio", Style.SHORT),
        ("sns", Style.SHORT),
        ("jsons", Style.PLAIN),
    ],
)
def test_each_service_gets_the_style_that_it_shows(name: str, style: Style) -> None:
    assert Opener(Path("/nonexistent"), FakeClock(), Said()).open(URLS[name]).style is style


def mail_to(port: int) -> str:
    return f"mailto://127.0.0.1:{port}/?from=fleet@example.org&to=eva@example.org"


def test_mail_arrives() -> None:
    port = free_port()
    with mail_server(port) as mailbox:
        opener = Opener(Path("/nonexistent"), FakeClock(), Said())
        message = Message(TEXT.subject, "**disk is full**\n- value: 99", Style.MARKDOWN)
        assert opener.open(mail_to(port)).send(message) == Delivery(Outcome.SENT)
    ((to, content),) = mailbox.mails
    mail: Mail = email.message_from_string(content)
    assert (to, mail["Subject"]) == (("eva@example.org",), TEXT.subject)
    assert "disk is full" in content


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [("450 greylisted, come back", Outcome.LATER), ("550 no such user", Outcome.REFUSED)],
)
def test_a_mail_server_says_whether_to_come_back(reply: str, outcome: Outcome) -> None:
    port = free_port()
    with mail_server(port) as mailbox:
        mailbox.refusals.append(reply)
        told = Opener(Path("/nonexistent"), FakeClock(), Said()).open(mail_to(port)).send(TEXT)
    assert (told.outcome, told.reason) == (outcome, f"SMTP {reply[:3]}: {reply[4:]}")


def test_a_mail_server_that_is_away_means_later() -> None:
    told = Opener(Path("/nonexistent"), FakeClock(), Said()).open(mail_to(free_port())).send(TEXT)
    assert told == Delivery(Outcome.LATER, "connection refused")


def test_the_log_channel_writes_a_file_and_into_the_log(tmp_path: Path) -> None:
    said = Said()
    opener = Opener(tmp_path, FakeClock(), said)
    assert opener.open("log:").send(TEXT) == Delivery(Outcome.SENT)
    assert opener.open("log:").send(TEXT) == Delivery(Outcome.SENT)
    assert (tmp_path / "notifications.log").read_text().count(
        "FIRING critical: DiskFull on web-1\n    disk is full"
    ) == 2
    assert [event for event, _ in said.events] == ["message", "message"]


def test_a_log_file_that_cannot_be_written_means_later(tmp_path: Path) -> None:
    told = Opener(tmp_path, FakeClock(), Said()).open(f"log:{tmp_path}/missing/file").send(TEXT)
    assert told == Delivery(Outcome.LATER, f"{tmp_path}/missing/file: No such file or directory")


def test_a_text_that_is_too_long_for_the_service_keeps_its_beginning_and_the_commands(service: Service) -> None:
    body = "\n".join(["it begins", *(f"- 磁盘已满 {number}" for number in range(500)), "Acknowledge: a", "Silence: b"])
    assert send(URLS["wecombot"], service, Message("FIRING", body)).outcome is Outcome.SENT
    (text,) = [json.loads(text)["text"]["content"] for text in service.texts]
    assert len(text.encode()) <= 2048
    assert "it begins" in text
    assert text.endswith("\n...\nAcknowledge: a\nSilence: b")


def test_telegram_gets_no_markdown_that_it_could_refuse(service: Service) -> None:
    send(URLS["tgram"], service, Message("FIRING", "labels: fs_type=a*b<c"))
    assert json.loads(service.texts[-1])["text"].endswith("labels: fs_type=a*b&lt;c")


def test_a_call_of_the_dead_mans_switch_is_judged_like_a_message(service: Service) -> None:
    clock, url = FakeClock(), f"https://dead.example.org/{KEY}"
    assert call(url, clock, service.carrier()) == Delivery(Outcome.SENT)
    assert service.got[0].url == f"dead.example.org/{KEY}"
    service.usual = Reply(404, f"{KEY} is unknown".encode())
    assert call(url, clock, service.carrier()) == Delivery(Outcome.REFUSED, "HTTP 404: *** is unknown")
    assert call(f"http://127.0.0.1:{free_port()}/", clock) == Delivery(Outcome.LATER, "connection refused")
    assert call("no url", clock).outcome is Outcome.LATER


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429, b"", {"Retry-After": "nan"}),
        Reply(429, b"", {"Retry-After": "9" * 400}),
        Reply(429, b"", {"Retry-After": "Mon, 99 Foo 2026"}),
        Reply(429, b'{"parameters": {"retry_after": Infinity}}'),
        Reply(429, b'{"parameters": [1]}'),
        Reply(503, b"[" * 100_000),
        Reply(500, bytes(range(256))),
    ],
)
def test_whatever_a_service_answers_is_only_an_answer(reply: Reply, service: Service) -> None:
    service.usual = reply
    told = send(URLS["jsons"], service)
    assert told.outcome is Outcome.LATER
    assert (told.retry_after_seconds or 0) <= 86_400


def test_an_odd_code_is_no_code(service: Service) -> None:
    service.usual = Reply(200, b'{"errcode": {"a": []}}')
    assert send(URLS["wecombot"], service).outcome is Outcome.SENT
