"""What holds a secret is never in events, errors or the ledger."""

from __future__ import annotations

import pytest

from reconciler.resources.machine.system import Completed
from reconciler.resources.protocol import Request, Wanted, event_to_json, request_from_json, request_to_json
from tests.fakes.requests import request, run, wanted
from tests.fakes.system import FakeHost

SECRET = "hunter2-hunter2"


def everything_told(wish: Request, host: FakeHost) -> str:
    events, done = run(wish, host)
    told = [repr(event_to_json(event)) for event in [*events, done]]
    kept = [content.decode() for path, content in host.contents.items() if path.startswith("/var/lib/reconciler/l")]
    return "\n".join([*told, *kept, repr(wish)])


def doomed(host: FakeHost) -> None:
    host.answers["doomed",] = Completed(1, stderr=f"cannot use {SECRET}")


@pytest.mark.parametrize(
    "resource",
    [
        wanted("file", path="/etc/a", content=SECRET, sensitive=True),
        wanted("line", path="/etc/a", line=f"password={SECRET}", sensitive=True),
        wanted("command", argv=["doomed"], env={"PASSWORD": SECRET}, sensitive=True),
        wanted("command", argv=["doomed"], stdin=SECRET, sensitive=True),
        wanted("file", path="/etc/a", content=SECRET, validate=["doomed"], sensitive=True),
    ],
    ids=lambda resource: resource.kind,
)
def test_a_sensitive_resource_is_never_told(resource: Wanted) -> None:
    host = FakeHost()
    doomed(host)
    host.file("/etc/a", f"password={SECRET}-before\n")
    told = everything_told(request(resource, adopt="replace"), host).replace(repr(dict(resource.fields)), "")
    assert SECRET not in told


def test_what_a_check_prints_is_masked() -> None:
    host = FakeHost()
    host.answers["doomed",] = Completed(1, stderr=f"bad password {SECRET} in line 7")
    wish = request(wanted("command", argv=["doomed"]), secrets=(SECRET,))
    events, done = run(wish, host)
    assert done.error == "command:doomed: doomed failed: exit code 1: bad password ******** in line 7"
    assert SECRET not in repr(events)
    assert all(SECRET not in content.decode() for content in host.contents.values())


def test_a_request_with_secrets_survives_the_wire_and_does_not_print_them() -> None:
    wish = request(wanted("file", path="/etc/a", content="x"), secrets=(SECRET,))
    assert request_from_json(request_to_json(wish)) == wish
    assert SECRET not in repr(wish)
