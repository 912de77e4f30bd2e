"""Kind Channel: where notifications go, which, when and how often."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema

from reconciler.errors import InvalidInput
from reconciler.manifests.door import Door, failure, shown
from reconciler.manifests.fields import Duration, Filled, Selection, TextOrSecret
from reconciler.manifests.findings import Finding
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.times import TimesSpec, read_times
from reconciler.manifests.values import value_findings
from reconciler.model.metadata import Value
from reconciler.model.monitoring import Channel

ABOUT = "Where notifications go, which, when and how often."
_RATE = re.compile(r"([1-9][0-9]{0,5})/(s|m|h)\Z")
_PER_MINUTE = {"s": 60.0, "m": 1.0, "h": 1 / 60}


def _rate(value: Any) -> float:
    found = _RATE.match(value) if isinstance(value, str) else None
    if found is None:
        raise failure(f"{{field}} {shown(value)} is no rate", "Write it like 20/m")
    return int(found[1]) * _PER_MINUTE[found[2]]


Rate: TypeAlias = Annotated[
    float, PlainValidator(_rate), WithJsonSchema({"type": "string", "pattern": "^[0-9]+/[smh]$", "examples": ["20/m"]})
]


class ChannelSpec(Door):
    """The `spec` of a Channel."""

    urls: list[TextOrSecret] = Field(
        description="Apprise URLs, each text or a secret.", min_length=1, examples=["[{secret: alerts/mail_url}]"]
    )
    match: Selection = Field(description="Which alerts, by their labels.", examples=["severity=critical"])
    fallback: bool = Field(default=False, description="Only what no other channel takes.")
    after: Duration = Field(0.0, description="Only what nobody acknowledged for so long.")
    active_times: list[TimesSpec] | None = Field(None, description="Only at these times.", min_length=1)
    group_by: list[Filled] = Field(["alert"], description="Labels whose values share one message.")
    group_wait: Duration = Field(30.0, description="A new group waits so long for more.")
    group_interval: Duration = Field(300.0, description="At least so long between messages of a group.")
    repeat_interval: Duration = Field(14_400.0, description="A group that still fires is told again after this.")
    rate: Rate | None = Field(None, description="At most so many messages; none: what the service allows.")
    template: Filled | None = Field(None, description="File below templates/ that makes the text.")
    send_resolved: bool = Field(default=True, description="Also say when it is over.")


SPEC = ChannelSpec


def build(draft: Draft) -> tuple[Channel, Claims]:
    """The channel."""
    spec: ChannelSpec = draft.spec
    draft.findings.extend(value_findings(spec.urls, ("spec", "urls")))
    draft.findings.extend(_url_findings(spec.urls))
    channel = Channel(
        metadata=draft.metadata,
        urls=tuple(spec.urls),
        match=spec.match,
        fallback=spec.fallback,
        after_seconds=spec.after,
        active_times=read_times(spec.active_times),
        group_by=tuple(spec.group_by),
        group_wait_seconds=spec.group_wait,
        group_interval_seconds=spec.group_interval,
        repeat_interval_seconds=spec.repeat_interval,
        rate_per_minute=spec.rate,
        template=spec.template,
        send_resolved=spec.send_resolved,
    )
    templates = ((("spec", "template"), spec.template),) if spec.template else ()
    return channel, Claims(templates=templates)


def _url_findings(urls: list[Value]) -> Iterator[Finding]:
    """URLs in clear that nothing can be sent to; what a secret holds is known to those who send."""
    from reconciler.notify.urls import check  # noqa: PLC0415 - apprise is slow to load

    for index, url in enumerate(urls):
        try:
            if isinstance(url, str):
                check(url)
        except InvalidInput as error:
            wrong = error.problems[0]
            yield Finding(("spec", "urls", index), wrong.message, wrong.hint, wrong.code)
