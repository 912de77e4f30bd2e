"""`user`: an account of the host's own, its groups and its SSH keys; changed with useradd and usermod."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, List, Optional, Tuple

from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, Context, Difference, Resource, changes
from reconciler.resources.machine.system import Access, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.tools.accounts import Account, accounts, carry_out, groups, locked
from reconciler.resources.values import dataclass, replace


@dataclass(frozen=True)
class UserState:
    """The account as it is."""

    uid: int
    home: str
    shell: str
    groups: Tuple[str, ...] = ()
    """Further groups, sorted."""
    keys: Tuple[str, ...] = ()
    """Lines of authorized_keys that hold a key."""
    locked: bool = False


@dataclass(frozen=True)
class User(Resource):
    """An account. When it leaves the manifests it is locked and loses our keys; its files stay.

    `absent` deletes the account, and still leaves its home.
    """

    kind: ClassVar[str] = "user"
    reversible: ClassVar[bool] = False
    exclusive: ClassVar[bool] = True

    name: str
    uid: Optional[int] = None
    groups: Optional[Tuple[str, ...]] = None
    append_groups: bool = True
    home: str = ""
    shell: str = ""
    system: bool = False
    authorized_keys: Optional[Tuple[str, ...]] = None
    exclusive_keys: bool = False
    present: bool = True
    ours: Tuple[str, ...] = ()
    """Keys that we put there before; filled in by the engine."""

    @classmethod
    def parse(cls, fields: Fields) -> "User":
        """Read the manifest's fields; without `groups` or `authorizedKeys` these are left as they are."""
        return cls(
            name=fields.text("name"),
            uid=fields.number("uid"),
            groups=tuple(sorted(set(fields.texts("groups")))) if fields.given("groups") else None,
            append_groups=fields.flag("appendGroups", default=True),
            home=fields.text("home", ""),
            shell=fields.text("shell", ""),
            system=fields.flag("system", default=False),
            authorized_keys=fields.texts("authorizedKeys") if fields.given("authorizedKeys") else None,
            exclusive_keys=fields.flag("exclusiveKeys", default=False),
            present=fields.choice("state", "present", "absent") == "present",
        )

    def within(self, context: Context) -> User:
        """See Resource."""
        return replace(self, ours=tuple(context.recorded.get("keys", ())))

    def inspect(self, system: System) -> Optional[UserState]:
        account = accounts(system).get(self.name)
        if account is None:
            return None
        member = tuple(sorted(name for name, team in groups(system).items() if self.name in team.members))
        keys = _keys(system, account) if self.authorized_keys is not None else ()
        return UserState(account.uid, account.home, account.shell, member, keys, locked(system, self.name))

    def difference(self, actual: Optional[UserState]) -> Difference:
        if self.absent:
            return Difference(DELETE, ("state: present -> absent",)) if actual else NOTHING
        if actual is None:
            return Difference(ADD)
        lines = changes(
            ("uid", actual.uid, actual.uid if self.uid is None else self.uid),
            ("home", actual.home, self.home or actual.home),
            ("shell", actual.shell, self.shell or actual.shell),
            ("groups", ",".join(actual.groups), ",".join(self._groups(actual.groups))),
            ("locked", actual.locked, False),
        )
        paths: Tuple[str, ...] = ()
        if self._wanted_keys(actual.keys) != actual.keys:
            lines, paths = (*lines, "authorizedKeys"), (_key_file(actual.home),)
        return Difference(CHANGE, lines, paths) if lines else NOTHING

    def _groups(self, actual: Tuple[str, ...]) -> Tuple[str, ...]:
        if self.groups is None:
            return actual
        return tuple(sorted({*self.groups, *actual})) if self.append_groups else self.groups

    def _wanted_keys(self, actual: Tuple[str, ...]) -> Tuple[str, ...]:
        if self.authorized_keys is None:
            return actual
        if self.exclusive_keys:
            return self.authorized_keys
        kept = tuple(key for key in actual if key in self.authorized_keys or key not in self.ours)
        return (*kept, *(key for key in self.authorized_keys if key not in kept))

    def apply(self, system: System, difference: Difference) -> None:
        if difference.action == DELETE:
            carry_out(system, ("userdel", self.name))
            return
        if difference.action == ADD:
            carry_out(system, ("useradd", *self._create_options(), self.name))
        else:
            options = self._change_options({line.partition(":")[0] for line in difference.lines})
            if options:
                carry_out(system, ("usermod", *options, self.name))
        self._write_keys(system)

    def _create_options(self) -> Tuple[str, ...]:
        return (
            *(("--system",) if self.system else ()),
            *(("--create-home",) if not self.system or self.home else ()),
            *self._options({"uid", "home", "shell"}),
            *(("--groups", ",".join(self.groups)) if self.groups else ()),
        )

    def _change_options(self, changed: "set[str]") -> Tuple[str, ...]:
        append = ("--append",) if self.append_groups and "groups" in changed else ()
        team = ("--groups", ",".join(self.groups or ())) if "groups" in changed else ()
        unlock = ("--expiredate", "") if "locked" in changed else ()
        return (*self._options(changed), *append, *team, *unlock)

    def _options(self, names: "set[str]") -> Tuple[str, ...]:
        values = (("uid", self.uid), ("home", self.home), ("shell", self.shell))
        chosen = [(f"--{name}", str(value)) for name, value in values if name in names and value not in {None, ""}]
        return tuple(word for pair in chosen for word in pair)

    def _write_keys(self, system: System) -> None:
        if self.authorized_keys is None:
            return
        account = accounts(system)[self.name]
        keys = _keys(system, account)
        if self._wanted_keys(keys) != keys:
            _store_keys(system, account, self._wanted_keys(keys))

    def recorded(self, *, sensitive: bool) -> Dict[str, Any]:
        return {"name": self.name, "keys": list(dict.fromkeys((*self.ours, *(self.authorized_keys or ()))))}

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        """Lock the account and take out the keys that we put in."""
        name = owned.fields["name"]
        account = accounts(system).get(name)
        if account is None:
            return
        carry_out(system, ("usermod", "--lock", "--expiredate", "1", name))
        keys = _keys(system, account)
        kept = tuple(key for key in keys if key not in owned.fields.get("keys", ()))
        if kept != keys:
            _store_keys(system, account, kept)


def _key_file(home: str) -> str:
    return f"{home.rstrip('/')}/.ssh/authorized_keys"


def _keys(system: System, account: Account) -> Tuple[str, ...]:
    found = system.read(_key_file(account.home))
    lines: List[str] = found[1].decode(errors="replace").splitlines() if found else []
    return tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _store_keys(system: System, account: Account, keys: Tuple[str, ...]) -> None:
    directory = f"{account.home.rstrip('/')}/.ssh"
    if system.look(directory) is None:
        system.mkdir(directory, Access(account.uid, account.gid, 0o700))
    found = system.read(_key_file(account.home))
    remarks = [line for line in (found[1] if found else b"").decode(errors="replace").splitlines() if line[:1] == "#"]
    content = "".join(f"{line}\n" for line in (*remarks, *keys)).encode()
    system.write_atomic(_key_file(account.home), content, Access(account.uid, account.gid, 0o600))
