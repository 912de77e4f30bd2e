"""What a service answered -> whether the message is there, may be sent again, or is not wanted. Pure.

Apprise says only yes or no, and yes to any HTTP 200; robots of WeCom, DingTalk and Feishu say "too many" in one.
"""

from __future__ import annotations

import email.utils
import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import requests

from reconciler.model.delivery import SENT, Delivery, Outcome
from reconciler.resources.values import dataclass, field

LONGEST_QUOTED = 160
LONGEST_WAIT = 86_400
_BUSY_STATUS = frozenset({408, 425, 429})
_CODED = {
    "wecombot": frozenset({-1, 45009, 45033}),
    "wechat": frozenset({-1, 40014, 42001, 45009, 45033}),
    "dingtalk": frozenset({-1, 130101, 660026}),
    "feishu": frozenset({9499, 11232, 11233, 11247, 99991400}),
    "lark": frozenset({9499, 11232, 11233, 11247, 99991400}),
}
"""Services that answer with a code of their own in an HTTP 200 -> codes that mean: too many, or busy, or (of
`wechat`) a token that ran out, which the next attempt renews."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a service."""

    status: int
    """Of HTTP, or a reply code of SMTP."""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    smtp: bool = False


def judge(
    schema: str, answers: Sequence[Answer], error: Exception | None, now: datetime, *, accepted: bool
) -> Delivery:
    """What became of a message.

    Args:
        schema: of the URL.
        answers: what the service answered, in order.
        error: what kept it from answering.
        now: for a Retry-After that names a moment.
        accepted: what Apprise made of it.
    """
    found = [told for answer in answers if (told := _judged(schema, answer, now)) is not None]
    if accepted:
        coded = [told for answer in answers if (told := _own_code(schema, answer)) is not None]
        return coded[0] if coded else SENT
    if error is not None:
        return Delivery(Outcome.LATER, _words(error))
    return found[-1] if found else Delivery(Outcome.LATER, "it was not accepted, without an answer that says why")


def _judged(schema: str, answer: Answer, now: datetime) -> Delivery | None:
    """What is wrong by this answer; None: nothing."""
    if answer.status < 400:
        return _own_code(schema, answer)
    reason = f"{'SMTP' if answer.smtp else 'HTTP'} {answer.status}{_quoted(answer.body)}"
    if answer.smtp:
        return Delivery(Outcome.LATER if answer.status < 500 else Outcome.REFUSED, reason)
    throttled = schema == "sns" and b"Throttl" in answer.body
    if answer.status in _BUSY_STATUS or answer.status >= 500 or throttled:
        return Delivery(Outcome.LATER, reason, _retry_after(answer, now))
    return Delivery(Outcome.REFUSED, reason)


def _own_code(schema: str, answer: Answer) -> Delivery | None:
    busy = _CODED.get(schema)
    content = _json(answer.body) if busy is not None else {}
    codes = (content.get(name) for name in ("errcode", "code", "StatusCode"))
    code = next((code for code in codes if code and isinstance(code, int)), 0)
    if busy is None or not code:
        return None
    said = content.get("errmsg") or content.get("msg") or content.get("StatusMessage") or ""
    return Delivery(Outcome.LATER if code in busy else Outcome.REFUSED, f"code {code}{_quoted(str(said).encode())}")


def _retry_after(answer: Answer, now: datetime) -> float | None:
    """Seconds that it asks us to wait: a header (RFC 9110: seconds or a date), or Telegram's parameters."""
    told = answer.headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(min(int(told[:9]), LONGEST_WAIT))
    if told:
        return _until(told, now)
    parameters = _json(answer.body).get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return float(max(0, min(seconds, LONGEST_WAIT))) if isinstance(seconds, int) else None


def _until(moment: str, now: datetime) -> float | None:
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(moment) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _quoted(body: bytes) -> str:
    text = " ".join(body.decode(errors="replace").split())
    return f": {text[:LONGEST_QUOTED]}" if text else ""


def _words(error: Exception) -> str:
    """What went wrong, without the error's text, which holds the URL."""
    causes = list(_causes(error))
    for kinds, words in _KNOWN:
        if any(isinstance(cause, kinds) for cause in causes):
            return words
    return "it cannot be reached"


_KNOWN: Sequence[tuple[tuple[type[BaseException], ...], str]] = (
    ((requests.Timeout, TimeoutError), "no answer in time"),
    ((requests.exceptions.SSLError, ssl.SSLError), "its TLS certificate was not accepted"),
    ((ConnectionRefusedError,), "connection refused"),
    ((socket.gaierror,), "its name cannot be resolved"),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that led to it."""
    todo, seen = [error], set[int]()
    while todo:
        cause = todo.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        todo += [it for it in inner if isinstance(it, BaseException)]
