"""What hosts should be: signed statements, bundles, resolved config. Written by the controller, read by executors."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from reconciler.errors import Place, Problem, Refused
from reconciler.model.desired import Bundle, DesiredApp, SignedStatement
from reconciler.resources.values import dataclass, field
from reconciler.store.keys import Keys
from reconciler.store.link import Argument, Command, Link, call, compact, flat, odd_slot, passed, refuse_older, text
from reconciler.store.reading import Reading, json_map, number, unpacked, word, words

BUNDLE_SECONDS = 90 * 86_400
"""How long a bundle is kept after a controller or a plan last used it."""

NUMBERS_SECONDS = 30 * 86_400
"""How long a forgotten host's term and tokens still refuse late writers."""

_LARGEST_BUNDLE_BYTES = 64 << 20
_NAMES_A_COMMAND = 1000


@dataclass(frozen=True, slots=True)
class HostWrite:
    """What a controller writes of one host, in one step."""

    host: str
    signed: SignedStatement
    generation: int
    apps: Mapping[str, DesiredApp]
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """App -> its resolved config, for people (`HGETALL rc:{HOST}:config:APP`)."""
    sealed: bytes = b""
    """The secrets, sealed to the key of the host's agent; empty for none."""


@dataclass(frozen=True, slots=True)
class HostDesired:
    """What a controller last wrote of one host."""

    signed: SignedStatement
    generation: int
    apps: Mapping[str, DesiredApp]
    sealed: bytes = b""


class DesiredState:
    """`Store.desired`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._keys = keys

    def write(self, term: int, hosts: Sequence[HostWrite]) -> None:
        """Write all hosts, one atomic step each; writing the same again changes nothing.

        Raises:
            Refused: some hosts hold a higher term or generation, or what we do not write; the others are written.
        """
        names = [host.host for host in hosts]
        index = self._keys.control + "hosts"
        for first in range(0, len(names), _NAMES_A_COMMAND):
            self._link.send("SADD", index, *names[first : first + _NAMES_A_COMMAND])
        replies = self._reading.ask_all([self._write_command(term, host) for host in hosts])
        refused = [_refusal(host, reply, term=term) for host, reply in zip(hosts, replies, strict=True) if reply != 1]
        if refused:
            raise Refused(refused)

    def read(self, host: str) -> HostDesired | None:
        """What was last written of a host; None: nothing, so unknown."""
        key = self._keys.host(host) + "desired"
        found = self._reading.ask("HGETALL", key)
        return self._reading.record(key, partial(self._desired, host, found)) if found else None

    def generations(self, hosts: Iterable[str]) -> Mapping[str, int]:
        """The generations last written; hosts never written are left out."""
        names = list(hosts)
        keys = [self._keys.host(name) + "numbers" for name in names]
        replies = self._reading.ask_all([("HGET", key, "generation") for key in keys])
        found = {
            name: self._reading.record(key, partial(number, reply))
            for name, key, reply in zip(names, keys, replies, strict=True)
            if reply
        }
        return {name: generation for name, generation in found.items() if generation is not None}

    def statements(self, hosts: Iterable[str]) -> Mapping[str, SignedStatement]:
        """The statements last written; hosts never written are left out."""
        names = list(hosts)
        replies = self._reading.ask_all(
            [("HMGET", self._keys.host(name) + "desired", "statement", "signature") for name in names]
        )
        pairs = zip(names, replies, strict=True)
        return {name: SignedStatement(*reply) for name, reply in pairs if reply and all(reply)}

    def forget(self, host: str, term: int) -> None:
        """Forget everything of a host, its work and records included.

        Raises:
            Refused: the host holds a higher term.
        """
        newer = self._reading.ask(*call("host_forget", self._keys.host(host), term, NUMBERS_SECONDS))
        refuse_older(newer, host, term)
        self._link.send("SREM", self._keys.control + "hosts", host)

    def put_bundles(self, bundles: Iterable[Bundle]) -> None:
        """Keep bundles, also those that are there already: that renews their time to live."""
        self._link.send_all(
            [
                ("SET", self._keys.bundle(bundle.sha), zlib.compress(bundle.body), "EX", BUNDLE_SECONDS)
                for bundle in bundles
            ]
        )

    def bundles(self, shas: Iterable[str], *, renew: bool = False) -> Mapping[str, Bundle]:
        """Bundles by their sha. One that is missing, or is not what its sha says, is left out.

        Args:
            shas: of the bundles.
            renew: keep them for longer, as planners do; agents may only read.
        """
        names = sorted(set(shas))
        renewed = renew and not self._link.read_only
        replies = self._reading.ask_all([self._read_bundle(sha, renew=renewed) for sha in names])
        found = {
            sha: self._reading.record(self._keys.bundle(sha), partial(_bundle, sha, reply))
            for sha, reply in zip(names, replies, strict=True)
            if reply is not None
        }
        return {sha: bundle for sha, bundle in found.items() if bundle}

    def write_app_config(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the config of all apps, for people (`HGETALL rc:app:{APP}`); apps that are gone lose theirs."""
        index = self._keys.control + "apps"
        known = self._reading.records(index, self._reading.ask("SMEMBERS", index) or (), bytes.decode)
        gone = set(known) - config.keys()
        commands: list[Command] = [("SADD", index, *sorted(config))] if config else []
        commands += [call("hash_replace", self._keys.app(app), *_texts(values)) for app, values in config.items()]
        for app in sorted(gone):
            commands += [("DEL", self._keys.app(app)), ("SREM", index, app)]
        self._link.send_all(commands)

    def _desired(self, host: str, reply: Sequence[bytes]) -> HostDesired:
        found = dict(zip(reply[::2], reply[1::2], strict=True))
        signed = SignedStatement(found.pop(b"statement", b""), found.pop(b"signature", b""))
        generation, sealed = number(found.pop(b"generation", b"")), found.pop(b"sealed", b"")
        records = [(name, record) for name, record in found.items() if name.startswith(b"app:")]
        key = self._keys.host(host) + "desired"
        apps = self._reading.records(key, records, lambda pair: _desired_app(host, pair[0][4:].decode(), pair[1]))
        return HostDesired(signed, generation, {app.app: app for app in sorted(apps, key=lambda app: app.app)}, sealed)

    def _read_bundle(self, sha: str, *, renew: bool) -> Command:
        key = self._keys.bundle(sha)
        return ("GETEX", key, "EX", BUNDLE_SECONDS) if renew else ("GET", key)

    def _write_command(self, term: int, host: HostWrite) -> Command:
        signed = host.signed
        arguments: list[Argument] = [term, host.generation, signed.body, signed.signature, host.sealed]
        for app, wanted in sorted(host.apps.items()):
            record = {"bundle": wanted.bundle, "digest": wanted.digest, "values": wanted.values}
            texts = _texts(host.config.get(app, {}))
            secrets = {"secrets": wanted.secrets} if wanted.secrets else {}
            arguments += [app, compact({**record, **secrets}), len(texts), *texts]
        return call("desired_write", self._keys.host(host.host), *arguments)


def config_text(value: Any) -> str:
    """A config value as a person reads it in Redis; a secret as `secret:PATH`, also inside lists and maps."""
    value = _referenced(value)
    return value if isinstance(value, str) else compact(value)


def _referenced(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {"secret"}:
            return f"secret:{value['secret']}"
        return {key: _referenced(item) for key, item in value.items()}
    return [_referenced(item) for item in value] if isinstance(value, list | tuple) else value


def _texts(config: Mapping[str, Any]) -> list[Argument]:
    return list(flat({key: config_text(value) for key, value in sorted(config.items())}))


def _refusal(host: HostWrite, reply: tuple[bytes, bytes] | None, *, term: int) -> Problem:
    if reply is None:
        return odd_slot(host.host)
    what, stored = reply
    if what == b"term":
        return passed(stored, host.host, term)
    message = f"generation {host.generation} is not above the one written, {text(stored)}"
    hint = "Plan again; another run has just written."
    return Problem(Place(host=host.host), message, hint, "generation-passed")


def _desired_app(host: str, app: str, record: bytes) -> DesiredApp:
    found = json_map(record)
    values = word(found["values"])
    json_map(values)
    return DesiredApp(host, app, word(found["bundle"]), values, word(found["digest"]), words(found.get("secrets", [])))


def _bundle(sha: str, packed: bytes) -> Bundle:
    bundle = Bundle(sha, unpacked(packed, _LARGEST_BUNDLE_BYTES))
    if hashlib.sha256(bundle.body).hexdigest() != sha:
        raise ValueError("not what its name says")
    return bundle
