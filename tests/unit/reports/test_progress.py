"""What people see while they wait: live on a terminal, plain elsewhere, nothing when they asked for quiet."""

import io
import os
import re
import threading

from syrupy.assertion import SnapshotAssertion

from reconciler.reports.progress import Board, Progress, Show, Working, frame
from reconciler.reports.visible import width
from tests.fakes.clock import FakeClock

SIZE = os.terminal_size((60, 24))


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and can show what a person would see on it."""

    def isatty(self) -> bool:
        return True

    def screen(self) -> list[str]:
        lines: list[str] = [""]
        for part in re.split(r"(\x1b\[\d+A\r\x1b\[J|\n)", self.getvalue()):
            if part == "\n":
                lines.append("")
            elif up := re.match(r"\x1b\[(\d+)A", part):
                lines = [*lines[: -1 - int(up[1])], ""]
            else:
                lines[-1] += part
        return lines[:-1]


def progress(stream: io.StringIO, show: Show, clock: FakeClock, hosts: int = 3) -> Progress:
    names = [f"web-{number}" for number in range(1, hosts + 1)]
    return Progress(names, stream, clock, show=show, color=False, size=lambda: SIZE)


def test_how_much_is_shown_follows_the_stream_and_the_wish_for_quiet() -> None:
    assert Show.fitting(Terminal(), quiet=False) is Show.LIVE
    assert Show.fitting(io.StringIO(), quiet=False) is Show.PLAIN
    assert Show.fitting(Terminal(), quiet=True) is Show.NOTHING


def test_elsewhere_than_on_a_terminal_each_finished_app_is_a_plain_line() -> None:
    stream = io.StringIO()
    with progress(stream, Show.PLAIN, FakeClock(100.0)) as shown:
        shown.started("web-1", "webapp")
        shown.working("web-1", "file:/etc/motd")
        shown.tick()
        shown.finished("web-1", "webapp", "converged, 3 changed")
        shown.host_done("web-1")
    assert stream.getvalue() == "web-1  webapp  converged, 3 changed\n"


def test_quiet_writes_nothing() -> None:
    stream = io.StringIO()
    with progress(stream, Show.NOTHING, FakeClock(100.0)) as shown:
        shown.started("web-1", "webapp")
        shown.finished("web-1", "webapp", "failed: disk full", failed=True)
        shown.host_done("web-1")
    assert stream.getvalue() == ""


def test_a_terminal_shows_the_hosts_at_work_and_how_many_are_done(snapshot: SnapshotAssertion) -> None:
    terminal, clock = Terminal(), FakeClock(100.0)
    with progress(terminal, Show.LIVE, clock) as shown:
        shown.started("web-1", "webapp")
        clock.sleep(1)
        shown.started("web-2", "webapp")
        clock.sleep(1)
        shown.working("web-1", "file:/etc/nginx/sites-available/webapp.conf")
        shown.tick()
        shown.host_done("web-3")
        assert terminal.screen() == snapshot


def test_the_live_lines_are_gone_at_the_end() -> None:
    terminal = Terminal()
    with progress(terminal, Show.LIVE, FakeClock(100.0)) as shown:
        shown.started("web-1", "webapp")
        shown.finished("web-1", "webapp", "converged")
        shown.host_done("web-1")
    assert terminal.screen() == []


def test_on_a_terminal_only_failures_stay_to_be_read() -> None:
    terminal = Terminal()
    with progress(terminal, Show.LIVE, FakeClock(100.0)) as shown:
        for host in ("web-1", "web-2"):
            shown.started(host, "webapp")
        shown.finished("web-1", "webapp", "converged")
        shown.finished("web-2", "webapp", "failed: disk full", failed=True)
        assert terminal.screen() == ["web-2  webapp  failed: disk full", "0 of 3 hosts done, 1 failed"]


def test_the_live_view_is_not_drawn_more_often_than_people_see() -> None:
    terminal, clock = Terminal(), FakeClock(100.0)
    with progress(terminal, Show.LIVE, clock) as shown:
        shown.started("web-1", "webapp")
        before = terminal.getvalue()
        for number in range(1000):
            shown.working("web-1", f"file:/etc/{number}")
        assert terminal.getvalue() == before
        clock.sleep(0.2)
        shown.tick()
        assert "file:/etc/999" in terminal.screen()[0]


def test_what_a_host_reports_without_having_started_is_ignored() -> None:
    terminal = Terminal()
    with progress(terminal, Show.LIVE, FakeClock(100.0)) as shown:
        shown.working("web-9", "file:/etc/motd")
        assert terminal.screen() == ["0 of 3 hosts done"]


def test_a_frame_fits_a_small_terminal() -> None:
    working = {f"web-{n}": Working(f"web-{n}", "webapp", float(n), "file:/" + "欢" * 80) for n in range(50)}
    lines = frame(Board(60, working=working), now=99.0, size=os.terminal_size((40, 8)), color=True)
    assert len(lines) < 8
    assert all(width(line) < 40 for line in lines)
    assert "and 45 more hosts at work" in lines[-2]


def test_many_threads_may_report_at_once() -> None:
    terminal = Terminal()
    with progress(terminal, Show.LIVE, FakeClock(100.0), hosts=8) as shown:

        def converge(host: str) -> None:
            shown.started(host, "webapp")
            for number in range(50):
                shown.working(host, f"file:/etc/{number}")
            shown.finished(host, "webapp", "converged")
            shown.host_done(host)

        threads = [threading.Thread(target=converge, args=(f"web-{number}",)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert terminal.screen() == ["8 of 8 hosts done"]
