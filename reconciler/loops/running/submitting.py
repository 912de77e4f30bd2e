"""The way in for runs of jobs: compose, sign, enqueue. Called by commands, and by whatever starts jobs by itself.

Submitting the same id twice is one run. Everything that a host needs for it then stands in its slot and in a bundle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.clock import Clock, milliseconds
from reconciler.errors import NOWHERE, InvalidInput, Place, Refused
from reconciler.loops.hosts.sealing import Sealing
from reconciler.model.canonical import canonical
from reconciler.model.desired import Desired
from reconciler.model.manifests import Job, Manifests
from reconciler.model.metadata import Origin, Path, Value
from reconciler.model.run import JobPolicy, Run, SignedRun
from reconciler.model.work import PRIORITY, RUN, Work, WorkState
from reconciler.planner.bundles import pack
from reconciler.planner.compose import Composer
from reconciler.planner.jobs import app_name, as_app, policy_of, told_which_lack_values, with_policy
from reconciler.planner.resolver import Locate
from reconciler.resources.values import dataclass, replace
from reconciler.store import Store, Waiter
from reconciler.trust import Signer, TrustedKeys, verify_run

_SHORTEST_PATIENCE_MS, _LONGEST_PATIENCE_MS = 60_000, 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Args:
        id: a ULID, or a hash of what makes the run what it is; the same on all hosts.
        params: typed, as `planner.jobs.bind` gives them.
        not_after: it is not begun later.
        by: who asks.
    """

    id: str
    job: Job
    params: Mapping[str, Value]
    hosts: tuple[str, ...]
    not_after: datetime
    by: str
    reason: str = ""
    priority: int = PRIORITY


@dataclass(frozen=True, slots=True)
class Submitter:
    """Signs runs and makes them due."""

    fleet: str
    store: Store
    signer: Signer
    trusted: TrustedKeys
    sealing: Sealing
    agents: Callable[[], Container[str]]
    clock: Clock

    def submit(self, order: Order, manifests: Manifests, locate: Locate) -> Sequence[Work]:
        """Make a run due on each of its hosts.

        Raises:
            InvalidInput: its steps cannot be rendered for these hosts.
            Unavailable: Redis cannot be reached.
        """
        policy, name = policy_of(order.job), app_name(order.job.metadata.name)
        desired = self._composed(order, manifests, locate)
        composed = {host: desired.hosts[host][name] for host in order.hosts}
        bundles = {sha: with_policy(bundle, policy) for sha, bundle in desired.bundles.items() if bundle.app == name}
        self.store.desired.put_bundles(bundles.values())
        works = []
        for host, content in composed.items():
            values = _with_params(content.values, order.params)
            run = Run(
                fleet=self.fleet,
                host=host,
                id=order.id,
                job=order.job.metadata.name,
                bundle=bundles[content.bundle].sha,
                values=values,
                not_after=milliseconds(order.not_after),
                by=order.by,
                key_id=self.signer.key_id,
            )
            sealed = self.sealing.sealed(self.sealing.key(host), [content], desired.bundles)
            works.append(self._work(order, policy, host, self.signer.sign_run(run, sealed)))
        until = order.not_after + timedelta(seconds=policy.longest_seconds)
        self._join(works, until)
        self.store.work.enqueue(works, agents=self.agents())
        self._join(works, until)  # again, for a line that lost patience with us
        return works

    def retry(self, work: Work) -> Work | None:
        """Ask again for a run that ended without success, in new words; None: there is nothing to ask for again.

        It may be begun as long as before, and no shorter than the words that it voids: a host remembers a run until it
        may not be begun any more, and only what it remembers can be void.

        Raises:
            Refused: what stands in Redis was not signed by a key that may start runs, so it is not signed anew.
        """
        signed = SignedRun.of_args(work.args)
        known = verify_run(signed, self.trusted, fleet=self.fleet, host=work.host, run_id=work.id)
        now = milliseconds(self.clock.now())
        created = milliseconds(work.created_at) if work.created_at else now
        patience = min(max(known.not_after - created, _SHORTEST_PATIENCE_MS), _LONGEST_PATIENCE_MS)
        bundles = self.store.desired.bundles([known.bundle])
        if known.bundle not in bundles:
            message = f"run {work.id}: its steps are no longer in Redis"
            raise Refused.of("content-missing", message, place=Place(host=work.host), hint="Ask anew: reconcile run")
        self.store.desired.put_bundles(bundles.values())
        again = replace(
            known, issue=known.issue + 1, not_after=max(known.not_after, now + patience), key_id=self.signer.key_id
        )
        args = self.signer.sign_run(again, signed.sealed).to_args(known.job)
        policy = JobPolicy.from_json(bundles[known.bundle].content["policy"])
        self._join([work], datetime.fromtimestamp(again.not_after / 1000 + policy.longest_seconds, UTC))
        if not self.store.work.retry(work.host, work.id, args, agents=self.agents()):
            return None
        return replace(work, args=args, state=WorkState.QUEUED, attempt=0)

    def _composed(self, order: Order, manifests: Manifests, locate: Locate) -> Desired:
        """The job on its hosts; all the rest of the fleet only where it is asked for."""
        opaque = {name: _harmless(value) for name, value in order.params.items()}
        app = as_app(order.job, order.hosts, opaque)
        alone = replace(manifests, apps={app.name: app}, hosts={host: manifests.hosts[host] for host in order.hosts})
        whole = replace(manifests, apps={**manifests.apps, app.name: app})
        by_app = any(group.hosts.apps for group in manifests.groups.values())
        wide = by_app or b"hosts(" in pack(app, manifests.templates).body
        observed = self.store.observed.read(manifests.hosts if wide else order.hosts)
        facts = {host: known.facts for host, known in observed.items()}

        def located(origin: Origin, path: Path) -> Place:
            return locate(origin, path) if origin.file else NOWHERE

        try:
            return Composer().compose(whole if wide else alone, "", facts, located)
        except InvalidInput as error:
            raise told_which_lack_values(error, order.job, order.params) from error

    @staticmethod
    def _work(order: Order, policy: JobPolicy, host: str, signed: SignedRun) -> Work:
        return Work(
            id=order.id,
            host=host,
            kind=RUN,
            args=signed.to_args(order.job.metadata.name),
            priority=order.priority,
            reason=order.reason,
            lane=policy.lane,
            lock=policy.lock,
        )

    def _join(self, works: Iterable[Work], until: datetime) -> None:
        now = self.clock.now()
        for work in works:
            if work.lock:
                self.store.locks.join(Waiter(work.lock, work.host, work.id, now, until))


def _harmless(value: Value) -> Value:
    """A value of a person as it is composed: nothing in it is evaluated."""
    if isinstance(value, str):
        return value.replace("{", "(")
    return [_harmless(item) for item in value] if isinstance(value, list) else value


def _with_params(values: str, params: Mapping[str, Value]) -> str:
    """The values with the parameters as they were given."""
    parsed: dict[str, Any] = json.loads(values)
    if "config" in parsed:
        parsed["config"] = {name: params.get(name, value) for name, value in parsed["config"].items()}
    return canonical(parsed).decode()
