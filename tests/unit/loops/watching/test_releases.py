"""Due work is released once, again when it changes, and ever more slowly when it stays due."""

from __future__ import annotations

from reconciler.loops.watching.releases import TRUST_SECONDS, Pair, Releases

WEB: Pair = ("web-1", "web")


def free(releases: Releases, digest: str, now: float) -> bool:
    return releases.due([(WEB, digest)], now) == [WEB]


def test_what_was_released_is_trusted_to_be_worked_on() -> None:
    releases = Releases()
    assert free(releases, "a", 0.0)
    releases.released([(WEB, "a")], 0.0)
    assert not free(releases, "a", 1.0)
    assert free(releases, "a", TRUST_SECONDS)


def test_a_newer_digest_goes_out_at_once() -> None:
    releases = Releases()
    releases.released([(WEB, "a")], 0.0)
    assert free(releases, "b", 0.1)


def test_what_stays_due_however_often_it_is_worked_on_waits_longer_each_time() -> None:
    releases = Releases()
    now, pauses = 0.0, []
    for _ in range(8):
        releases.released([(WEB, "a")], now)
        releases.settled({WEB}, now)
        waited = 0.0
        while not free(releases, "a", now + waited):
            waited += 1.0
        pauses.append(waited)
        now += waited
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_what_was_not_due_in_between_starts_anew() -> None:
    releases = Releases()
    for now in (0.0, 10.0, 20.0):
        releases.released([(WEB, "a")], now)
        releases.settled({WEB}, now)
    releases.due([], 21.0)
    assert free(releases, "a", 21.0)
