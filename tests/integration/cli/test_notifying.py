"""`reconcile watch` sends what is in the outbox; `reconcile doctor` says whether channels work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.store import Store
from reconciler.store.opening import embedded
from tests.fakes.services import Reply, Service, http_service
from tests.integration.cli.conftest import Repository
from tests.integration.cli.test_watching import watching
from tests.unit.alerting.notifications import notification
from tests.waiting import until


@pytest.fixture
def service() -> Iterator[Service]:
    with http_service() as made:
        yield made


def channel(name: str, *urls: str) -> str:
    listed = "".join(f"    - {url}\n" for url in urls)
    return (
        f'apiVersion: reconciler/v1\nkind: Channel\nmetadata: {{name: {name}}}\nspec:\n  match: "*"\n  urls:\n{listed}'
    )


def put(fleet: Repository) -> None:
    """What a monitor does, made just now."""
    runtime = Path(fleet.environment["RECONCILER_RUNTIME_DIR"])
    opened = embedded(fleet.root / ".reconciler/store", runtime, SystemClock())
    Store(opened).outbox.put([notification(at=SystemClock().now())])
    opened.close()


def test_a_watch_sends_to_every_url_of_a_channel(small: Repository, service: Service) -> None:
    small.write("manifests/channels/night.yaml", channel("night", '"log:"', f"json://127.0.0.1:{service.port}/hook"))
    with watching(small):
        until(lambda: "in sync  healthy" in small("status").out)
        put(small)
        until(lambda: service.got and (small.root / ".reconciler/notifications.log").exists())
    assert "DiskFull on web-1:/var" in service.texts[0]
    assert "DiskFull on web-1:/var" in (small.root / ".reconciler/notifications.log").read_text()
    assert small("doctor").out.splitlines()[-3].endswith("2 URLs can be used: json, log")


def test_a_channel_can_be_tried_out(small: Repository, service: Service) -> None:
    small.write("manifests/channels/night.yaml", channel("night", f"json://127.0.0.1:{service.port}/hook"))
    told = small("doctor", "--send", "night")
    assert (told.code, "channel night (URL 1): json took the message" in told.out) == (0, True)
    assert "You will get the alerts of channel night of fleet small here." in service.texts[0]
    service.usual = Reply(401, b"who are you")
    told = small("doctor", "--send", "night")
    assert (told.code, "channel night (URL 1): HTTP 401: who are you" in told.out) == (1, True)
    assert "Did you mean night?" in small("doctor", "--send", "nigt").out


def test_a_secret_url_that_cannot_be_used_is_told_without_its_text(small: Repository) -> None:
    small.write("manifests/channels/night.yaml", channel("night", "{secret: alerts/a}", "{secret: alerts/b}"))
    small.write(".reconciler/secrets/alerts/a", "slack://aVeryPrivateKey\n")
    told = small("doctor")
    assert told.code == 1
    assert "channel night (URL 1): this is no URL of slack" in told.out
    assert "channel night (URL 2): secret alerts/b not found" in told.out
    assert "aVeryPrivateKey" not in told.out
