"""One host's desired state, checked against what was signed and ready to become requests to the engine.

The executor makes one from the store before it applies; the controller makes one from a fresh composition when it
looks at a local host for a plan. Where the facts and secrets come from is their business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.errors import Place, Refused
from reconciler.model.desired import Bundle, DesiredApp, Statement, app_digest
from reconciler.planner.config import secret_paths
from reconciler.planner.order import order_apps
from reconciler.planner.reads import Reads, cut
from reconciler.rendering import Rendered, RenderedResource, Renderer, declared
from reconciler.resources.protocol import Request, Wanted
from reconciler.resources.values import dataclass, field, replace


@dataclass
class HostView:
    """The apps of one host with their renderers.

    Args:
        statement: what was said of the host; `apps` must agree with it.
        apps: the content behind each digest of the statement.
        renderer: gives the renderer of a bundle.
        sealed: the secrets of an agent's host, sealed to its key.
    """

    statement: Statement
    apps: Mapping[str, DesiredApp]
    bundles: Mapping[str, Bundle]
    renderer: Callable[[Bundle], Renderer]
    sealed: bytes = b""
    _values: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.statement.host

    @classmethod
    def signed(
        cls,
        statement: Statement,
        apps: Mapping[str, DesiredApp],
        bundles: Mapping[str, Bundle],
        renderer: Callable[[Bundle], Renderer],
        sealed: bytes = b"",
    ) -> HostView:
        """A view of exactly what was signed; whatever else stands in Redis beside it is left out.

        Raises:
            Refused: with code `content-mismatch` or `content-missing`.
        """
        for app, digest in sorted(statement.apps.items()):
            place = Place(host=statement.host, app=app)
            content = apps.get(app)
            if content is None or app_digest(content.bundle, content.values) != digest:
                raise _not_as_signed(place, "what stands in Redis is")
            if content.bundle not in bundles:
                message = "its templates are no longer in Redis; nothing was applied"
                raise Refused.of("content-missing", message, place=place, hint="Write them again: reconcile apply")
        if hashlib.sha256(sealed).hexdigest() != statement.sealed and statement.sealed:
            raise _not_as_signed(Place(host=statement.host), "the secrets in Redis are")
        signed = {app: apps[app] for app in sorted(statement.apps)}
        return cls(statement, signed, bundles, renderer, sealed if statement.sealed else b"")

    def order(self) -> tuple[str, ...]:
        """The host's apps, each after those that it depends on."""
        return order_apps({app: self.dependencies(app) for app in self.apps})

    def dependencies(self, app: str) -> tuple[str, ...]:
        """Apps of this host that the app depends on."""
        if app not in self.apps:
            return ()
        return tuple(named for item in self.policy(app)["dependsOn"] if (named := item["app"]) in self.apps)

    def formerly(self, app: str) -> tuple[str, ...]:
        """Names that the app had before."""
        return tuple(self.policy(app)["formerly"]) if app in self.apps else ()

    def secrets(self, app: str) -> tuple[str, ...]:
        """Paths of the secrets that the app may read: those that its signed content names, and no others."""
        return named_secrets(self._bundle(app), self.values(app)) if app in self.apps else ()

    def policy(self, app: str) -> Mapping[str, Any]:
        """The app's policies, as its bundle has them."""
        policy: Mapping[str, Any] = self._bundle(app).content["policy"]
        return policy

    def values(self, app: str) -> Mapping[str, Any]:
        """The app's values on this host, parsed."""
        if app not in self._values:
            self._values[app] = json.loads(self.apps[app].values)
        return self._values[app]

    def facts_changed(self, app: str, facts: Mapping[str, Any]) -> bool:
        """Whether facts that the app reads are no longer those that it was planned with."""
        planned = self.values(app)
        if "facts" not in planned:
            return False
        shape = Reads.of(self.renderer(self._bundle(app)).reads).parts["facts"]
        return bool(cut(facts, shape) != planned["facts"])

    def rendered(self, app: str, secrets: Mapping[str, str] | None = None) -> Rendered:
        """The app's resources on this host; without secrets they stand as references."""
        return self.renderer(self._bundle(app)).render(self.values(app), secrets)

    def _bundle(self, app: str) -> Bundle:
        return self.bundles[self.apps[app].bundle]

    def elsewhere(self, app: str) -> Mapping[str, str]:
        """Resource id -> the other app of this host that wants it."""
        return {
            resource.id: other
            for other in sorted(self.apps)
            if other != app
            for resource in self.rendered(other).resources
        }

    def request(
        self, app: str, secrets: Mapping[str, str] | None, *, term: int = 0, token: int = 0, fingerprint: str = ""
    ) -> Request:
        """What the engine is asked: bring (or look at) the app; an app that left the statement is removed.

        Args:
            app: name of the app.
            secrets: clear values of the secrets that it reads, by path; None: they stand as references.
            term: of the controller that asks.
            token: of the lease on the host.
            fingerprint: keyed, of the secrets' values; kept on the host so that a rotation shows.
        """
        request = Request(
            fleet=self.statement.fleet,
            host=self.host,
            app=app,
            generation=self.statement.generation,
            digest="",
            term=term,
            token=token,
            elsewhere=self.elsewhere(app),
            remove=app not in self.apps,
        )
        if request.remove:
            return request
        policy, wanted = self.policy(app), self.apps[app]
        rendered = self.rendered(app, secrets)
        return replace(
            request,
            digest=wanted.digest,
            secrets=tuple((secrets or {}).values()),
            recovery={"bundle": wanted.bundle, "values": wanted.values, "secrets": fingerprint},
            resources=tuple(map(as_wanted, rendered.resources)),
            health=rendered.health,
            adopt=policy["adopt"],
            prune=policy["prune"],
            on_failure=policy["onFailure"],
            confirm_seconds=policy["confirm"] or 0.0,
            formerly=self.formerly(app),
        )


def named_secrets(bundle: Bundle, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of all secrets that an app's content names, sorted; whatever else claims to know them is not asked."""
    content = bundle.content
    return tuple(sorted(set(secret_paths([declared(values), content["resources"], content["health"]]))))


def _not_as_signed(place: Place, what: str) -> Refused:
    hint = "Someone else wrote there, or a write was cut off: run reconcile apply to write it again"
    return Refused.of("content-mismatch", f"{what} not what was signed; nothing was applied", place=place, hint=hint)


def as_wanted(resource: RenderedResource) -> Wanted:
    """A rendered resource as the engine takes it."""
    return Wanted(
        id=resource.id,
        kind=resource.kind,
        name=resource.name,
        fields=resource.fields,
        fingerprint=resource.fingerprint,
        keep=resource.keep,
        sensitive=bool(resource.secrets),
    )
