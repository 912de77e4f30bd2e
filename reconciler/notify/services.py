"""What differs between services: how many messages they take, and in which language."""

from __future__ import annotations

from typing import Any

from reconciler.model.delivery import Style

PER_MINUTE = {
    "wecombot": 20.0,
    "wechat": 20.0,
    "dingtalk": 20.0,
    "feishu": 60.0,
    "lark": 60.0,
    "slack": 60.0,
    "tgram": 20.0,
    "twilio": 10.0,
    "sns": 10.0,
    "mailto": 30.0,
    "mailtos": 30.0,
    "json": 300.0,
    "jsons": 300.0,
    "log": 600.0,
}
"""Messages a minute where a channel sets no `rate`: what the service documents; of SMS and e-mail what people read."""
OTHERS_PER_MINUTE = 30.0
SHORT_BODY = 320
"""A service whose messages are no longer than this sends SMS or the like."""
_RICH = frozenset({"markdown", "html"})
_PLAIN = frozenset({"json", "jsons", "xml", "xmls", "form", "forms", "tgram"})
"""Webhooks, which programs read, and Telegram, which refuses a message with a lone `_` or `*` in its Markdown."""


def per_minute(schema: str) -> float:
    """How many messages a target takes."""
    return PER_MINUTE.get(schema, OTHERS_PER_MINUTE)


def style_of(schema: str, plugin: Any) -> Style:
    """What a plugin of Apprise takes."""
    if plugin.body_maxlen <= SHORT_BODY:
        return Style.SHORT
    formats = plugin.notify_format if isinstance(plugin.notify_format, tuple | list | set) else (plugin.notify_format,)
    rich = _RICH.intersection(getattr(it, "value", str(it)) for it in formats)
    return Style.MARKDOWN if rich and schema not in _PLAIN else Style.PLAIN
