"""An agent is upgraded, and a version that does not work is taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.enrolment.lock import requirements
from reconciler.enrolment.own_wheel import Wheel
from reconciler.enrolment.release import Release
from reconciler.errors import HostFailed, Refused
from reconciler.resources.machine.system import Completed
from tests.fakes.machine import FakeMachine
from tests.unit.enrolment.scene import (
    CURRENT,
    NEW,
    Scene,
    cut_off_everywhere,
)


def test_an_upgrade_keeps_the_version_before_and_no_older_one(scene: Scene) -> None:
    first = scene.enroll().version
    scene.release = NEW
    second = scene.enrolment.upgrade("web-1").version
    assert scene.enrolment.upgrade("web-1").changes == []
    assert sorted(scene.versions) == sorted([first, second])
    scene.release = Release(Wheel("reconciler-0.1.0-py3-none-any.whl", b"newest"), requirements())
    third = scene.enrolment.upgrade("web-1").version
    assert sorted(scene.versions) == sorted([second, third])


def refusing_all_but(scene: Scene, version: str) -> FakeMachine:
    """The scene's machine, on which only this version starts."""

    class Picky(FakeMachine):
        def _systemctl(self, *words: str) -> Completed:
            ended = super()._systemctl(*words)
            refused = words[0] == "restart" and version not in self.links[CURRENT]
            return replace(ended, code=1) if refused else ended

    return Picky(**vars(scene.machine))


def test_a_version_that_does_not_start_is_taken_back(scene: Scene) -> None:
    first = scene.enroll().version
    scene.release = NEW
    scene.machine = refusing_all_but(scene, first)
    with pytest.raises(HostFailed, match=rf"agent: no\. It went back to {first}, which is at work"):
        scene.enrolment.upgrade("web-1")
    assert scene.machine.links[CURRENT] == f"versions/{first}"
    assert scene.machine.started_with == scene.machine.started_from


def test_a_version_that_does_not_start_is_taken_back_also_after_a_run_that_was_cut_off() -> None:
    firsts = {}

    def enrolled(scene: Scene) -> None:
        firsts[id(scene)] = scene.enroll().version
        scene.release = NEW
        scene.machine = refusing_all_but(scene, firsts[id(scene)])

    def upgraded(scene: Scene) -> None:
        with pytest.raises(HostFailed, match="It went back to"):
            scene.enrolment.upgrade("web-1")

    for scene in cut_off_everywhere(upgraded, enrolled):
        assert scene.machine.links[CURRENT] == f"versions/{firsts[id(scene)]}"
        assert scene.machine.started_with == scene.machine.started_from


def test_an_agent_that_starts_and_is_not_heard_of_is_taken_back_too(scene: Scene) -> None:
    first = scene.enroll().version
    scene.release, scene.silent = NEW, True
    with pytest.raises(HostFailed, match=r"Redis has not heard from it for 30 s\. Its log: agent: no\. It went back"):
        scene.enrolment.upgrade("web-1")
    assert scene.machine.links[CURRENT] == f"versions/{first}"


def test_a_silent_agent_is_told_by_a_second_enrolment_too(scene: Scene) -> None:
    scene.silent = True
    for _ in range(2):
        with pytest.raises(HostFailed, match="Redis has not heard from it"):
            scene.enroll()


def test_nothing_is_switched_where_the_new_version_could_not_work(scene: Scene) -> None:
    first = scene.enroll().version
    scene.release = NEW
    scene.machine.complaints["--check"] = "error: Redis cannot be reached"
    with pytest.raises(HostFailed, match="Redis cannot be reached"):
        scene.enrolment.upgrade("web-1")
    assert scene.machine.links[CURRENT] == f"versions/{first}"


def test_an_agent_is_not_stopped_while_it_applies(scene: Scene) -> None:
    scene.enroll()
    scene.machine.files["/var/lib/reconciler/lock"] = b""
    scene.machine.applying = True
    started_with, scene.release = scene.machine.started_with, NEW
    with pytest.raises(HostFailed, match=r"being applied or installed there for more than 600 s\. Run it again later"):
        scene.enrolment.remove("web-1")
    with pytest.raises(HostFailed, match="being applied or installed"):
        scene.enrolment.upgrade("web-1")
    assert scene.machine.started_with == started_with

    scene.machine.applying = False
    scene.enrolment.upgrade("web-1")
    assert scene.machine.started_with == scene.machine.started_from


def test_only_an_enrolled_host_is_upgraded(scene: Scene) -> None:
    with pytest.raises(Refused, match=r"it has no agent\. Bring one: reconcile hosts enroll web-1"):
        scene.enrolment.upgrade("web-1")
