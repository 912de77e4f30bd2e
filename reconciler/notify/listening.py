"""Hears what services answer while Apprise sends: its plugins keep only yes or no of it, and log what they should not.

Plugins call the functions of `requests` and the classes of `smtplib` by their module's name. In the modules of plugins
that are used, these two names are bound to stand-ins that do the same and note the answers; nobody else sees them.
"""

from __future__ import annotations

import smtplib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from reconciler.notify.answers import Answer
from reconciler.resources.values import dataclass, field

LONGEST_BODY = 16 << 10
_SECONDS = (5.0, 10.0)
"""To connect and to answer, for a plugin that sets no limit."""


@dataclass(slots=True)
class Exchange:
    """What was said while one message was sent."""

    transport: BaseAdapter
    answers: list[Answer] = field(default_factory=list)
    error: Exception | None = None


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def listening(plugin: object, transport: BaseAdapter | None = None) -> AbstractContextManager[Exchange]:
    """Note what the plugin's service answers within the block.

    Args:
        plugin: of Apprise.
        transport: carries the requests; by default the network's.
    """
    for kind in type(plugin).__mro__:
        _stand_in(sys.modules[kind.__module__])
    if smtp := sys.modules.get("apprise.plugins.email.smtp"):
        _stand_in(smtp)
    return _noting(transport)


def get(url: str, transport: BaseAdapter | None = None) -> Exchange:
    """One GET: what was answered, or what kept it from being answered."""
    with _noting(transport) as exchange:
        try:
            _request("GET", url)
        except (requests.RequestException, ValueError) as error:
            exchange.error = error
    return exchange


@contextmanager
def _noting(transport: BaseAdapter | None) -> Iterator[Exchange]:
    exchange = Exchange(transport or HTTPAdapter())
    token = _current.set(exchange)
    try:
        yield exchange
    finally:
        _current.reset(token)


def _stand_in(module: Any) -> None:
    if getattr(module, "requests", None) is requests:
        module.requests = _REQUESTS
    if getattr(module, "smtplib", None) is smtplib:
        module.smtplib = _SMTPLIB


class _StandIn:
    """A module with some of its names replaced."""

    def __init__(self, module: Any, **replaced: Any) -> None:
        self._module = module
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Noting(BaseAdapter):
    """Carries requests by another adapter and notes the answers."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override] # handed on
        try:
            response = self._exchange.transport.send(request, **options)
            body = response.content
        except Exception as error:
            self._exchange.error = error
            raise
        self._exchange.error = None
        self._exchange.answers.append(Answer(response.status_code, body[:LONGEST_BODY], response.headers))
        return response

    def close(self) -> None:
        self._exchange.transport.close()


def _request(method: str, url: str, **options: Any) -> requests.Response:
    exchange = _current.get()
    options.setdefault("timeout", _SECONDS)
    if exchange is None:
        return requests.request(method, url, **options)  # noqa: S113 - set above
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Noting(exchange))
        return session.request(method, url, **options)


def _get(url: str, params: Any = None, **options: Any) -> requests.Response:
    return _request("GET", url, params=params, **options)


def _sending(method: str) -> Callable[..., requests.Response]:
    def send(url: str, data: Any = None, **options: Any) -> requests.Response:
        return _request(method, url, data=data, **options)

    return send


class _NotingReplies:
    """Notes the replies of an SMTP server, and why there are none."""

    def connect(self, *where: Any, **options: Any) -> tuple[int, bytes]:
        try:
            reply: tuple[int, bytes] = super().connect(*where, **options)  # type: ignore[misc] # of smtplib.SMTP
        except OSError as error:
            if exchange := _current.get():
                exchange.error = error
            raise
        return reply

    def getreply(self) -> tuple[int, bytes]:
        exchange = _current.get()
        try:
            code, said = super().getreply()  # type: ignore[misc] # of smtplib.SMTP
        except Exception as error:
            if exchange:
                exchange.error = error
            raise
        if exchange:
            exchange.answers.append(Answer(code, said[:LONGEST_BODY], smtp=True))
        return code, said


class _Smtp(_NotingReplies, smtplib.SMTP):
    pass


class _SmtpSsl(_NotingReplies, smtplib.SMTP_SSL):
    pass


_REQUESTS = _StandIn(
    requests, request=_request, get=_get, **{name: _sending(name) for name in ("post", "put", "patch", "delete")}
)
_SMTPLIB = _StandIn(smtplib, SMTP=_Smtp, SMTP_SSL=_SmtpSsl)
