"""The metrics that every host has: their names in expressions, units and labels.

Collectors measure them, alert rules and gates read them, `validate` knows a wrong name. An app adds its own by
`metrics`, as top-level names.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One number that is measured; its unit is the end of its name."""

    name: str
    """As in expressions: `cpu.percent`."""
    about: str
    each: str = ""
    """What there are several of, each with a label of that name (`filesystem`); empty for one a host."""


def _group(prefix: str, each: str = "", **about: str) -> tuple[Metric, ...]:
    return tuple(Metric(f"{prefix}.{name}", text, each) for name, text in about.items())


_MEASURED = (
    *_group(
        "cpu",
        percent="Share of all processor time in use.",
        user_percent="Share spent in programs.",
        system_percent="Share spent in the kernel.",
        iowait_percent="Share spent waiting for disks.",
        steal_percent="Share that the hypervisor gave to others.",
        count="Processors.",
    ),
    *_group(
        "load",
        one="Load average over 1 minute.",
        five="Load average over 5 minutes.",
        fifteen="Load average over 15 minutes.",
    ),
    *_group(
        "mem",
        percent="Share of memory in use, caches not counted.",
        total_bytes="Memory in all.",
        used_bytes="Memory in use.",
        available_bytes="Memory that programs can have without swapping.",
    ),
    *_group("swap", percent="Share of swap space in use.", used_bytes="Swap in use.", total_bytes="Swap in all."),
    *_group(
        "disk",
        percent="Share in use of the fullest filesystem.",
        read_bytes_per_second="Read from all disks.",
        write_bytes_per_second="Written to all disks.",
        reads_per_second="Reads from all disks.",
        writes_per_second="Writes to all disks.",
        busy_percent="Share of time in which the busiest disk had work.",
    ),
    *_group(
        "network",
        received_bytes_per_second="Received on all interfaces but loopback.",
        sent_bytes_per_second="Sent on all interfaces but loopback.",
        errors_per_second="Packets that failed, both ways.",
        drops_per_second="Packets that were dropped, both ways.",
    ),
    *_group(
        "filesystem",
        each="filesystem",
        percent="Share in use.",
        free_bytes="Free for unprivileged users.",
        used_bytes="In use.",
        total_bytes="Size.",
        inodes_percent="Share of inodes in use.",
    ),
    *_group(
        "interface",
        each="interface",
        received_bytes_per_second="Received.",
        sent_bytes_per_second="Sent.",
        errors_per_second="Packets that failed, both ways.",
        drops_per_second="Packets that were dropped, both ways.",
        up="1 while the link is up, else 0.",
    ),
    *_group("temperature", each="sensor", celsius="What the sensor says."),
    *_group("uptime", seconds="Since the last boot."),
    *_group("process", count="Processes.", running="Processes that run or want to.", zombies="Ended, not waited for."),
    *_group("file_descriptor", count="Open in all processes.", percent="Share of what the kernel allows."),
    *_group("clock", offset_seconds="This clock less that of Redis."),
    *_group("service", each="service", running="1 while the service of an app runs, else 0."),
    *_group("health", each="app", ok="1 while all health checks of the app pass, else 0."),
    *_group("certificate", each="certificate", left_seconds="Until it expires."),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _MEASURED}
"""By name, in the order in which people read them."""

EACH: tuple[str, ...] = tuple(sorted({metric.each for metric in _MEASURED if metric.each}))
"""What a rule may be evaluated for one by one."""

KEPT: frozenset[str] = frozenset(
    {
        "cpu.percent",
        "cpu.iowait_percent",
        "load.one",
        "mem.percent",
        "swap.percent",
        "disk.percent",
        "disk.read_bytes_per_second",
        "disk.write_bytes_per_second",
        "network.received_bytes_per_second",
        "network.sent_bytes_per_second",
        "filesystem.percent",
        "filesystem.free_bytes",
        "process.count",
    }
)
"""Metrics that are kept as series where the fleet does not say which; what apps measure of their own is, too."""
