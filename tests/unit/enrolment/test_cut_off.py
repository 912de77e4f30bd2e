"""Enrolments, upgrades and removals that are cut off at every step, and completed by the next."""

from __future__ import annotations

from tests.unit.enrolment.scene import CURRENT, NEW, Scene, cut_off_everywhere


def test_an_enrolment_that_was_cut_off_anywhere_is_completed_by_the_next() -> None:
    whole = Scene()
    whole.enroll()
    scenes = cut_off_everywhere(Scene.enroll, lambda _: None)
    assert len(scenes) > 20
    for scene in scenes:
        assert scene.machine.files == whole.machine.files
        assert scene.machine.links == whole.machine.links
        assert scene.machine.started_with == scene.machine.started_from
        assert scene.enroll().changes == []


def test_an_upgrade_that_was_cut_off_anywhere_is_completed_by_the_next() -> None:
    def enrolled(scene: Scene) -> None:
        scene.enroll()
        scene.release = NEW

    for scene in cut_off_everywhere(lambda scene: scene.enrolment.upgrade("web-1"), enrolled):
        assert scene.machine.links[CURRENT] == f"versions/{scene.enrolment.upgrade('web-1').version}"
        assert scene.machine.started_with == scene.machine.started_from
        assert scene.enrolment.upgrade("web-1").changes == []


def test_a_removal_that_was_cut_off_anywhere_is_completed_by_the_next() -> None:
    for scene in cut_off_everywhere(lambda scene: scene.enrolment.remove("web-1", purge=True), Scene.enroll):
        assert scene.machine.paths() == set()
        assert (scene.machine.enabled, scene.machine.started_with, scene.users.passwords) == (False, None, {})
        assert scene.enrolment.remove("web-1", purge=True) == []
