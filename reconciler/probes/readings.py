"""The counters of this machine, by psutil; what it does not tell comes from /proc. Called by agents and the watch.

Hosts over SSH have no psutil and read the same by the standard library (`resources.proc`).
"""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from reconciler.resources.measuring.proc import CPU_KINDS, Proc, filesystems
from reconciler.resources.measuring.readings import LOOPBACK, DiskCounters, InterfaceCounters, Readings


def read(at: float) -> Readings:
    """A look; `at` is the monotonic time of it."""
    proc = Proc()
    times, memory, swap = psutil.cpu_times(), psutil.virtual_memory(), psutil.swap_memory()
    return Readings(
        at=at,
        cpu={name: float(getattr(times, name, 0.0)) for name in CPU_KINDS},
        cores=psutil.cpu_count() or 0,
        load=tuple(map(float, psutil.getloadavg())),
        memory={
            "total": float(memory.total),
            "available": float(memory.available),
            "swap_total": float(swap.total),
            "swap_free": float(swap.free),
        },
        disks=_disks(proc.whole_disks()),
        interfaces=_interfaces(),
        filesystems=filesystems((it.device, it.mountpoint, it.fstype) for it in psutil.disk_partitions(all=True)),
        temperatures=dict(proc.temperatures()),
        uptime_seconds=proc.uptime_seconds(),
        processes=proc.processes() or {"count": float(len(psutil.pids()))},
        descriptors=proc.descriptors(),
    )


def _disks(whole: frozenset[str]) -> Mapping[str, DiskCounters]:
    """Without /sys every disk that there is, as on macOS, which counts no partitions."""
    counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    return {
        name: DiskCounters(
            float(each.read_bytes),
            float(each.write_bytes),
            float(each.read_count),
            float(each.write_count),
            each.busy_time / 1000 if hasattr(each, "busy_time") else None,
        )
        for name, each in counters.items()
        if name in whole or not whole
    }


def _interfaces() -> Mapping[str, InterfaceCounters]:
    states = psutil.net_if_stats()
    return {
        name: InterfaceCounters(
            float(each.bytes_recv),
            float(each.bytes_sent),
            float(each.errin + each.errout),
            float(each.dropin + each.dropout),
            up=name in states and states[name].isup,
        )
        for name, each in psutil.net_io_counters(pernic=True, nowrap=False).items()
        if name not in LOOPBACK
    }
