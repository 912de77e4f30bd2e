"""psutil and /proc tell the same of this machine."""

from __future__ import annotations

import sys

import pytest

from reconciler.clock import SystemClock
from reconciler.model.metrics import METRICS
from reconciler.model.samples import Series
from reconciler.probes.readings import read
from reconciler.resources.measuring.proc import Proc
from reconciler.resources.measuring.readings import metrics

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")


def test_both_readers_see_the_same_machine() -> None:
    ours, psutils = Proc().read(0.0), read(0.0)
    assert ours.cores == psutils.cores
    assert ours.memory["total"] == psutils.memory["total"]
    assert ours.memory["available"] == pytest.approx(psutils.memory["available"], rel=0.2)
    assert ours.cpu.keys() == psutils.cpu.keys()
    for kind, seconds in ours.cpu.items():
        assert psutils.cpu[kind] == pytest.approx(seconds, abs=30)
    assert ours.disks.keys() == psutils.disks.keys()
    assert ours.interfaces.keys() == psutils.interfaces.keys()
    assert ours.filesystems.keys() == psutils.filesystems.keys()
    assert ours.uptime_seconds == pytest.approx(psutils.uptime_seconds, abs=30)


@pytest.mark.parametrize("reader", [read, Proc().read])
def test_everything_that_is_measured_has_a_place_in_the_table_of_metrics(reader: object) -> None:
    assert callable(reader)
    clock = SystemClock()
    found = metrics(reader(clock.monotonic() - 5), reader(clock.monotonic()))
    assert {"mem.percent", "load.one", "cpu.count", "uptime.seconds", "process.count"} <= found.keys()
    for text in found:
        series = Series.parse(text)
        assert series.metric in METRICS, text
        assert bool(series.instance) == bool(METRICS[series.metric].each), text
