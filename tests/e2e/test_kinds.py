"""Every kind of resource on real hosts: created, changed, drifted, failed, pruned and adopted, as the manifests say.

Told twice: for a host over SSH, of which a dry run knows what was last seen, and for one that `reconcile` runs on, at
which a dry run looks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fleet import Fleet, booted
from tests.e2e.kinds import KINDS, Kind, stock
from tests.e2e.ops import FLEET, PROJECT, LocalOps, Ops
from tests.e2e.story import Stage, Story

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
RUNS_RECONCILE = [path for path in (PROJECT, Path(sys.base_prefix), Path("/usr/bin/git")) if path != Path("/usr")]
"""What a host needs beside its own packages to run `reconcile` itself."""


@pytest.fixture(scope="module")
def hosts() -> Iterator[Fleet]:
    with booted("far", "here", shows=RUNS_RECONCILE) as fleet:
        yield fleet


@pytest.fixture(scope="module", params=["far", "here"])
def story(hosts: Fleet, request: pytest.FixtureRequest) -> Story:
    name = request.param
    key = stock(hosts[name].files)
    hosts.look(name).check_output("apt-get update && mkdir -p /srv/mount")
    ops = Ops(hosts.directory / "ops", hosts) if name == "far" else LocalOps(hosts, name)
    ops.write("manifests/fleet.yaml", FLEET)
    ops.write("templates/e2e.asc", key)
    ops.host(hosts, name, "", "{}" if name == "far" else "{type: local}")
    return Story(hosts, name, ops)


def test_it_is_created(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.CREATED, kind)
    assert outcome.errors == ""
    assert outcome.seen == kind.created


def test_a_second_run_changes_nothing(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.UNCHANGED, kind)
    assert (outcome.planned, outcome.done, outcome.drift) == ({}, {}, {})
    assert outcome.seen == kind.created


def test_it_is_changed(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.CHANGED, kind)
    assert outcome.errors == ""
    assert outcome.seen == kind.changed


def test_what_others_change_is_found_and_told_and_not_touched_by_a_look(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.DRIFTED, kind)
    assert outcome.drift
    assert outcome.seen != kind.changed


def test_what_others_changed_is_healed(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.HEALED, kind)
    assert outcome.done.keys() == story.at(Stage.DRIFTED, kind).drift.keys()
    assert outcome.seen == kind.changed


def test_what_cannot_be_had_fails_with_a_clear_error_and_leaves_what_was_there(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.FAILED, kind)
    assert outcome.status in {"failed", "rolled-back"}
    assert kind.complaint in outcome.errors
    assert "Traceback" not in outcome.errors
    assert outcome.seen == kind.changed


def test_what_leaves_the_manifests_is_pruned(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.PRUNED, kind)
    assert outcome.errors == ""
    assert outcome.seen == kind.pruned


def test_what_others_made_is_refused_or_brought_to_its_state(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.REFUSED, kind)
    if kind.refused:
        assert "exists, differs and is not ours" in outcome.errors
        assert "adopt: replace" in outcome.errors
    else:
        assert outcome.errors == ""
    assert outcome.seen == (kind.found if kind.refused else kind.changed)


def test_what_others_made_is_adopted_where_the_app_says_so(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.ADOPTED, kind)
    assert outcome.errors == ""
    assert outcome.seen == kind.changed


def test_what_was_adopted_stays_when_it_leaves_the_manifests(story: Story, kind: Kind) -> None:
    outcome = story.at(Stage.LEFT, kind)
    assert outcome.errors == ""
    assert outcome.seen == kind.kept


WELL = tuple(stage for stage in Stage if stage not in {Stage.DRIFTED, Stage.FAILED, Stage.REFUSED})


@pytest.mark.parametrize("stage", WELL, ids=[stage.value for stage in WELL])
def test_what_the_dry_run_promised_is_what_the_apply_did_and_verify_finds_nothing_more(
    story: Story, stage: Stage, kind: Kind
) -> None:
    outcome = story.at(stage, kind)
    certain = {resource: action for resource, action in outcome.planned.items() if action not in {"unknown", "drift"}}
    assert certain == {resource: outcome.done.get(resource) for resource in certain}
    assert outcome.done.keys() <= outcome.planned.keys()
    assert outcome.drift == {}
    if story.host == "here" and kind.name not in {"command", "service"}:
        assert "unknown" not in outcome.planned.values(), "a dry run that can look leaves nothing open"
