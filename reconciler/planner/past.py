"""What is known of a host and its apps, found under their old names too; asked by `due` and `diff`.

`formerly` lets a renamed host or app keep what it owns: what is known of the old name is known of the new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.model.desired import Desired
from reconciler.model.observed import Applied, ObservedApp, ObservedHost


class Past:
    """Observed state by the names of today."""

    def __init__(self, desired: Desired, observed: Mapping[str, ObservedHost]) -> None:
        self._desired = desired
        self._observed = observed
        self._renamed = {old: new for new in desired.formerly if (old := self._known_as(new)) not in {None, new}}
        self._app_names: dict[str, tuple[str, ...]] = {}

    def host(self, name: str) -> tuple[str, ObservedHost] | None:
        """The name under which the host was heard of last, and what was heard."""
        known_as = self._known_as(name)
        return (known_as, self._observed[known_as]) if known_as is not None else None

    def today(self, name: str) -> str:
        """The name that a host goes by now."""
        return self._renamed.get(name, name)

    def names(self, host: str, app: str) -> tuple[str, ...]:
        """The names that a desired app of a host goes by: its own, then old ones that no other app of the host has."""
        desired = self._desired.hosts[host]
        sha = desired[app].bundle
        if sha not in self._app_names:
            policy = self._desired.bundles[sha].content.get("policy", {})
            self._app_names[sha] = tuple(policy.get("formerly", ()))
        former = self._app_names[sha]
        return (app, *(old for old in former if old not in desired)) if former else (app,)

    def wanted(self, host: str) -> Collection[str]:
        """Names of the desired apps of a host."""
        return self._desired.hosts[host].keys()

    def app(self, host: str, app: str) -> ObservedApp | None:
        """What is known of a desired app."""
        known = self.host(host)
        if known is None:
            return None
        apps = known[1].apps
        return apps.get(app) or next((apps[name] for name in self.names(host, app) if name in apps), None)

    def applied(self, host: str, app: str, long_forms: Mapping[tuple[str, str], Applied]) -> Applied | None:
        """What was last applied of a desired app; what an old name still owns is the new one's."""
        known = self.host(host)
        if known is None:
            return None
        forms = [form for name in self.names(host, app) if (form := long_forms.get((known[0], name)))]
        if len(forms) < 2:
            return forms[0] if forms else None
        resources = {key: value for form in reversed(forms) for key, value in form.resources.items()}
        adopted = sorted({key for form in forms for key in form.adopted})
        return Applied(forms[0].bundle, forms[0].values, resources, tuple(adopted))

    def leaving(self, host: str) -> Iterator[str]:
        """Apps that are known on a desired host and no longer desired there, under any name, sorted."""
        known = self.host(host)
        if known is None or known[1].apps.keys() <= self._desired.hosts[host].keys():
            return
        kept = {name for app in self._desired.hosts[host] for name in self.names(host, app)}
        yield from sorted(known[1].apps.keys() - kept)

    def forgotten(self) -> Iterator[str]:
        """Hosts that are known, left the manifests and were not renamed, sorted."""
        yield from sorted(self._observed.keys() - self._desired.hosts.keys() - self._renamed.keys())

    def _known_as(self, host: str) -> str | None:
        if host in self._observed:
            return host
        former = self._desired.formerly.get(host, ())
        return next((old for old in former if old in self._observed and old not in self._desired.hosts), None)
