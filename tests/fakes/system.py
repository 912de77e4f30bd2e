"""A host in memory: files, packages, services, users. Implements the `System` port by hand, with no machine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.resources.failure import Failure
from reconciler.resources.machine.system import Access, Claim, Command, Completed, Hearing
from tests.fakes.disk import FakeDisk

SYSTEMD = "/run/systemd/system"


@dataclass
class FakeService:
    """A unit."""

    running: bool = False
    enabled: bool = False
    started_at: float = 0.0
    renewals: list[str] = field(default_factory=list)
    serving: dict[str, bytes | None] = field(default_factory=dict)
    """What the files that it reads held when it last read them."""


@dataclass
class FakePackage:
    """What installing a package brings along."""

    version: str = "1.0-1"
    files: dict[str, bytes] = field(default_factory=dict)
    services: tuple[str, ...] = ()


class FakeHost(FakeDisk):
    """One host in memory. Tests set its fields and read them again."""

    def __init__(self, *, tool: str = "apt-get", init: str = "systemd", sandbox: bool = False) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.boot = "first boot"
        self.repository: dict[str, FakePackage] = {}
        self.packages: dict[str, str] = {}
        self.services: dict[str, FakeService] = {}
        self.reads: dict[str, tuple[str, ...]] = {}
        """Service -> the files that it reads when it starts or reloads."""
        self.downloads: dict[str, bytes] = {}
        """URL -> what it answers."""
        self.mounts: dict[str, tuple[str, str, str]] = {}
        """Place -> device, type and options; change it through `mount` and `umount`."""
        self.programs = {tool, "useradd", "usermod"}
        self.ran: list[tuple[str, ...]] = []
        self.answers: dict[tuple[str, ...], Completed | Callable[[], Completed]] = {}
        """Exact argument lists and what they answer, before anything that the fake knows by itself."""
        self.busy = False
        self.left_behind = 0
        """Processes that a run leaves behind."""
        self.hearing: Hearing | None = None
        self._entropy = 0
        for path in ("/etc", "/var", "/var/lib", "/home"):
            self.mkdir(path, Access(0, 0, 0o755))
        if init == "systemd":
            for path in ("/run", "/run/systemd", SYSTEMD):
                self.mkdir(path, Access(0, 0, 0o755))
        self.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        self.file("/etc/group", "root:x:0:\n")
        self.file("/etc/shadow", "root:*:19000:0:99999:7:::\n")

    # -- for tests

    def commands(self, program: str) -> list[tuple[str, ...]]:
        """What was run of one program."""
        return [argv for argv in self.ran if argv[0] == program]

    def run_words(self, *argv: str) -> Completed:
        """Run a program by hand."""
        return self.run(Command(argv))

    # -- System: looking

    @contextmanager
    def exclusive(self, claim: Claim, place: str = "") -> Iterator[None]:
        if self.busy:
            raise Failure("host-busy", "process 1 (other) is applying here")
        self._ensure(self.state)
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    @contextmanager
    def enclosed(self, name: str, hearing: Hearing, *, fresh: bool = False) -> Iterator[Callable[[], int]]:
        self.hearing = hearing
        yield lambda: self.left_behind

    def download(self, url: str, path: str, limit: int) -> None:
        self.ran.append(("download", url))
        if url not in self.downloads:
            raise Failure("download-failed", f"cannot fetch {url}: status 404")
        self.write_atomic(path, self.downloads[url][:limit], Access(0, 0, 0o600))

    def uid(self, name: str) -> int | None:
        return int(name) if name.isdigit() else self._number("/etc/passwd", name)

    def gid(self, name: str) -> int | None:
        return int(name) if name.isdigit() else self._number("/etc/group", name)

    def own(self, mode: int) -> Access:
        return Access(0, 0, mode)

    def user_name(self, uid: int) -> str:
        return self._name("/etc/passwd", uid)

    def group_name(self, gid: int) -> str:
        return self._name("/etc/group", gid)

    def has_program(self, name: str) -> bool:
        return name in self.programs

    def entropy(self, count: int) -> bytes:
        self._entropy += 1
        return self._entropy.to_bytes(count, "big")

    # -- System: acting

    def _validate(self, path: str, program: tuple[str, ...]) -> None:
        if not program:
            return
        done = self.run(Command(tuple(part.replace("%s", f"{path}.new") for part in program)))
        if not done.ok:
            raise Failure("validate-failed", f"{program[0]} refuses the new {path}", said=done.complaint)

    def run(self, command: Command) -> Completed:
        self.ran.append(command.argv)
        if command.argv in self.answers:
            answer = self.answers[command.argv]
            return answer() if callable(answer) else answer
        program = {
            "dpkg-query": self._dpkg_query,
            "apt-get": self._apt_get,
            "systemctl": self._systemctl,
            "service": self._service,
            "useradd": self._useradd,
            "groupadd": self._groupadd,
            "mount": self._mount,
            "umount": self._umount,
        }.get(command.argv[0])
        if command.argv[0] == "tee":
            self.file(command.argv[1], (command.stdin or b"").decode())
        return program(command.argv) if program else Completed(0)

    # -- the programs that it knows

    def _dpkg_query(self, argv: tuple[str, ...]) -> Completed:
        names = [name for name in argv[4:] if name in self.packages]
        rows = [f"{name}\t{self.packages[name]}\tinstall ok installed\n" for name in names]
        return Completed(0 if len(names) == len(argv[4:]) else 1, "".join(rows))

    def _apt_get(self, argv: tuple[str, ...]) -> Completed:
        if argv[1] == "update":
            return Completed(0)
        names = [word for word in argv[2:] if word.split("=")[0] in {*self.repository, *self.packages}]
        for word in names:
            name, _, version = word.partition("=")
            self._step()
            if argv[1] == "remove":
                self.packages.pop(name, None)
            else:
                self._install(name, version)
        if argv[1] == "install" and not names:
            return Completed(100, stderr=f"E: Unable to locate package {argv[-1]}")
        return Completed(0)

    def _install(self, name: str, version: str) -> None:
        package = self.repository[name]
        self.packages[name] = version or package.version
        for path, content in package.files.items():
            if path not in self.contents:
                self.file(path, content.decode())
        for service in package.services:
            self.services.setdefault(
                service, FakeService(running=True, enabled=True, started_at=self.clock.now().timestamp())
            )

    def _systemctl(self, argv: tuple[str, ...]) -> Completed:
        if argv[1] == "daemon-reload":
            return Completed(0)
        service = self.services.get(argv[-1].removesuffix(".service"))
        if argv[1] == "show":
            if service is None:
                return Completed(0, "LoadState=not-found\nActiveState=inactive\n")
            return Completed(
                0,
                "LoadState=loaded\n"
                f"ActiveState={'active' if service.running else 'inactive'}\n"
                f"UnitFileState={'enabled' if service.enabled else 'disabled'}\n"
                "NeedDaemonReload=no\n"
                f"ActiveEnterTimestampMonotonic={int(service.started_at * 1e6)}\n",
            )
        return self._act(service, argv[1], argv[-1])

    def _service(self, argv: tuple[str, ...]) -> Completed:
        service = self.services.get(argv[1])
        if argv[2] == "status":
            return Completed(0 if service and service.running else 3)
        return self._act(service, argv[2], argv[1])

    def _act(self, service: FakeService | None, verb: str, name: str) -> Completed:
        if service is None:
            return Completed(5, stderr=f"Unit {name} not found.")
        self._step()
        if verb in {"enable", "disable"}:
            service.enabled = verb == "enable"
        elif verb in {"start", "stop"}:
            service.running = verb == "start"
        else:
            service.renewals.append(verb)
        if verb in {"start", "restart", "reload"}:
            self._load(name.removesuffix(".service"))
        if verb in {"start", "restart"}:
            service.started_at = self.clock.now().timestamp()
        return Completed(0)

    def _load(self, name: str) -> None:
        self.services[name].serving = {path: self.contents.get(path) for path in self.reads.get(name, ())}

    def _useradd(self, argv: tuple[str, ...]) -> Completed:
        options = dict(itertools.pairwise(argv[1:]))
        number = options.get("--uid", "1000")
        name, home, shell = argv[-1], options.get("--home", f"/home/{argv[-1]}"), options.get("--shell", "/bin/sh")
        self._add("/etc/passwd", f"{name}:x:{number}:{number}::{home}:{shell}\n")
        self._add("/etc/group", f"{name}:x:{number}:\n")
        self._add("/etc/shadow", f"{name}:!:19000:0:99999:7:::\n")
        for team in filter(None, options.get("--groups", "").split(",")):
            self._join(team, name)
        self._ensure(home)
        return Completed(0)

    def _groupadd(self, argv: tuple[str, ...]) -> Completed:
        number = argv[2] if argv[1] == "--gid" else "2000"
        self._add("/etc/group", f"{argv[-1]}:x:{number}:\n")
        return Completed(0)

    def _mount(self, argv: tuple[str, ...]) -> Completed:
        device, place = argv[-2:]
        options = argv[argv.index("-o") + 1].replace("remount,", "")
        kind = argv[argv.index("-t") + 1] if "-t" in argv else self.mounts[place][1]
        return self._mounted({**self.mounts, place: (device, kind, options)})

    def _umount(self, argv: tuple[str, ...]) -> Completed:
        return self._mounted({place: found for place, found in self.mounts.items() if place != argv[-1]})

    def _mounted(self, mounts: dict[str, tuple[str, str, str]]) -> Completed:
        rows = (f"1 1 0:1 / {at} {words} - {kind} {device} rw\n" for at, (device, kind, words) in mounts.items())
        self.file("/proc/self/mountinfo", "".join(rows))
        self.mounts = mounts
        return Completed(0)

    def _join(self, team: str, name: str) -> None:
        lines = [line.split(":") for line in self.contents["/etc/group"].decode().splitlines()]
        for line in lines:
            if line[0] == team:
                line[3] = ",".join(filter(None, [*line[3].split(","), name]))
        self.file("/etc/group", "".join(":".join(line) + "\n" for line in lines))

    # -- helpers

    def _add(self, path: str, line: str) -> None:
        self.file(path, self.contents[path].decode() + line)

    def _number(self, path: str, name: str) -> int | None:
        rows = [line.split(":") for line in self.contents[path].decode().splitlines()]
        return next((int(row[2]) for row in rows if row[0] == name), None)

    def _name(self, path: str, number: int) -> str:
        rows = [line.split(":") for line in self.contents[path].decode().splitlines()]
        return next((row[0] for row in rows if int(row[2]) == number), str(number))
