"""An app starts once what it depends on is converged where it has to be."""

from __future__ import annotations

from reconciler.model.manifests import Dependency, Manifests, Require
from reconciler.planner.waves import Waves
from tests.fakes.fleet import World, app, file, host, manifests

HOSTS = (
    host("db-1", {"role": "db", "env": "test"}),
    host("db-2", {"role": "db", "env": "live"}),
    host("web-1", {"role": "web", "env": "test"}),
)
WEB = ("web-1", "web")


def fleet(*needs: Dependency, text: str = "one") -> Manifests:
    db = app("db", file("/etc/db", text), hosts="role=db")
    return manifests(db, app("web", file("/etc/web"), hosts="role=web", depends_on=needs), *HOSTS)


def waits_for(world: World, declared: Manifests, *pairs: tuple[str, str]) -> str:
    waves = Waves(declared, world.desired(declared), world.observed)
    return waves.waiting([WEB, *pairs]).get(WEB, "")


def test_without_a_dependency_nothing_is_waited_for(world: World) -> None:
    assert waits_for(world, fleet()) == ""


def test_all_hosts_of_the_dependency_are_waited_for(world: World) -> None:
    assert waits_for(world, fleet(Dependency("db"))) == "db on db-1, db-2"


def test_only_hosts_that_agree_in_the_named_labels_count(world: World) -> None:
    assert waits_for(world, fleet(Dependency("db", ("env",)))) == "db on db-1"


def test_once_they_are_converged_the_app_is_ready(world: World) -> None:
    declared = fleet(Dependency("db"))
    world.apply(declared)
    assert waits_for(world, declared) == ""


def test_a_newer_digest_is_waited_for_again(world: World) -> None:
    world.apply(fleet(Dependency("db")))
    assert waits_for(world, fleet(Dependency("db"), text="two")) == "db on db-1, db-2"


def test_any_is_content_with_one(world: World) -> None:
    world.apply(fleet(Dependency("db")))
    world.see_app("db-2", "db", digest="old")
    assert waits_for(world, fleet(Dependency("db"))) == "db on db-2"
    assert waits_for(world, fleet(Dependency("db", require=Require.ANY))) == ""


def test_a_dependency_that_stands_nowhere_holds_nothing_up(world: World) -> None:
    declared = manifests(
        app("db", file("/etc/db"), hosts="role=none"),
        app("web", file("/etc/web"), hosts="role=web", depends_on=(Dependency("db"),)),
        *HOSTS,
    )
    assert waits_for(world, declared) == ""


def test_on_one_host_the_executor_keeps_the_order(world: World) -> None:
    declared = manifests(
        app("base", file("/etc/base"), hosts="role=web"),
        app("web", file("/etc/web"), hosts="role=web", depends_on=(Dependency("base"),)),
        *HOSTS,
    )
    assert waits_for(world, declared, ("web-1", "base")) == ""
    assert waits_for(world, declared) == "base on web-1"
