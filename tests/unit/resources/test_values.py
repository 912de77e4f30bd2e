"""Classes of values are those of `dataclasses`, made in less time."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.resources import values
from reconciler.resources.values import asdict, dataclass, field, fields, replace


@dataclass(frozen=True, slots=True)
class Port:
    """With slots."""

    number: int
    name: str = "http"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """Without; what it has of others comes first, and what is of the class is no field."""

    kind: ClassVar[str] = "server"
    ports: tuple[Port, ...] = ()
    secret: str = field(default="", repr=False, compare=False)

    @cached_property
    def first(self) -> Port:
        return self.ports[0]


@dataclass(frozen=True)
class WebServer(Server):
    """Inherits fields."""

    root: str = "/srv"


@dataclass(slots=True)
class Counter:
    """Can be changed."""

    count: int = 0
    seen: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.seen.append(self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Itself:
    """Equal to nothing else."""

    number: int = 0


def said(act: Callable[[], Any]) -> tuple[type, str]:
    with pytest.raises((TypeError, AttributeError)) as caught:
        act()
    return caught.type, str(caught.value)


def twin(make: Any, add: Any) -> type:
    """The same class by one library or the other."""

    @make(frozen=True, slots=True)
    class Twin:
        a: int
        b: str = "b"
        c: dict[str, int] = add(default_factory=dict, compare=False)
        d: str = add(default="d", repr=False)

    return Twin


TWINS = {
    "ours": twin(values.dataclass, values.field),
    "theirs": twin(dataclasses.dataclass, dataclasses.field),
}


@pytest.mark.parametrize(
    "told",
    [
        lambda kind: repr(kind(1, c={"x": 2})),
        lambda kind: kind(1) == kind(1, c={"x": 2}),
        lambda kind: kind(1) == kind(1, d="e"),
        lambda kind: kind(1) == 1,
        lambda kind: hash(kind(1)) == hash(kind(1, c={"x": 2})),
        lambda kind: kind.__match_args__,
        lambda kind: kind.__slots__,
        lambda kind: [(each.name, each.type, each.init, each.repr, each.compare) for each in dataclasses.fields(kind)],
        lambda kind: dataclasses.asdict(kind(1, c={"x": 2})),
        lambda kind: repr(dataclasses.replace(kind(1), b="c")),
        lambda kind: repr(copy.deepcopy(kind(1, c={"x": 2}))),
        lambda kind: kind(1).__reduce_ex__(4)[2],
        dataclasses.is_dataclass,
        said,
        lambda kind: said(lambda: kind(1, 2, 3, 4, 5)),
        lambda kind: said(lambda: kind(1, z=2)),
        lambda kind: said(lambda: setattr(kind(1), "a", 2)),
        lambda kind: said(lambda: delattr(kind(1), "a")),
    ],
)
def test_a_class_behaves_as_one_of_the_standard_library(told: Callable[[type], Any]) -> None:
    assert told(TWINS["ours"]) == told(TWINS["theirs"])


def test_each_instance_has_a_default_of_its_own() -> None:
    Port(80).tags["tls"] = "no"
    assert Port(80).tags == {}


def test_fields_are_inherited_and_what_belongs_to_the_class_is_none() -> None:
    assert [each.name for each in fields(WebServer)] == ["ports", "secret", "root"]
    assert WebServer((Port(80),), root="/var/www") == WebServer((Port(80),), secret="other", root="/var/www")
    assert WebServer() != Server()
    assert repr(WebServer(secret="hidden")) == "WebServer(ports=(), root='/srv')"


def test_without_slots_an_instance_may_remember_what_it_found_out() -> None:
    assert Server((Port(80),)).first == Port(80)


def test_what_is_not_frozen_can_be_changed_and_is_no_key() -> None:
    counter = Counter(3)
    counter.count += 1
    assert (counter.count, counter.seen) == (4, [3])
    with pytest.raises(TypeError):
        hash(counter)


def test_a_class_may_keep_its_identity() -> None:
    one = Itself()
    assert one == one
    assert one != Itself()
    assert len({one, Itself()}) == 2


def test_an_instance_survives_pickling() -> None:
    port = Port(443, tags={"tls": "yes"})
    assert pickle.loads(pickle.dumps(port)) == port


def test_a_plain_class_that_inherits_may_have_attributes_of_its_own_and_its_fields_stay() -> None:
    class Plain(Server):
        pass

    plain: Any = Plain()
    plain.extra = 1
    assert plain.extra == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.ports = ()


def test_an_instance_is_matched_by_position() -> None:
    match Port(22, "ssh"):
        case Port(number, name):
            assert (number, name) == (22, "ssh")


def test_values_in_values_become_plain() -> None:
    server = Server((Port(80, tags={"a": "b"}),))
    assert asdict(server) == dataclasses.asdict(server)
    assert asdict(server)["ports"] == ({"number": 80, "name": "http", "tags": {"a": "b"}},)


def test_values_of_the_standard_library_are_understood_too() -> None:
    @dataclasses.dataclass(frozen=True)
    class Theirs:
        ports: tuple[Port, ...] = ()
        name: str = ""

    assert replace(Theirs((Port(80),)), name="web") == Theirs((Port(80),), "web")
    assert asdict(Theirs((Port(80),))) == dataclasses.asdict(Theirs((Port(80),)))


def test_a_class_cannot_lose_the_fields_of_a_class_of_the_standard_library() -> None:
    @dataclasses.dataclass(frozen=True)
    class Theirs:
        name: str = ""

    with pytest.raises(TypeError, match="inherits from a class that `dataclasses` made"):
        values.dataclass(frozen=True)(type("Ours", (Theirs,), {}))


def test_what_contains_itself_can_be_shown() -> None:
    counter: Any = Counter()
    counter.seen = counter
    assert repr(counter) == "Counter(count=0, seen=...)"


def outcome(kind: type, args: tuple[int, ...], kwargs: Mapping[str, int]) -> str:
    try:
        return repr(kind(*args, **kwargs))
    except TypeError as error:
        return str(error)


@given(
    args=st.lists(st.integers(0, 9), max_size=5).map(tuple),
    kwargs=st.dictionaries(st.sampled_from(["a", "b", "c", "d", "z"]), st.integers(0, 9)),
)
def test_instances_are_filled_as_the_written_constructor_fills_them(
    args: tuple[int, ...], kwargs: Mapping[str, int]
) -> None:
    ours, theirs = twin(values.dataclass, values.field), twin(dataclasses.dataclass, dataclasses.field)

    assert {outcome(ours, args, kwargs) for _ in range(20)} == {outcome(theirs, args, kwargs)}


def test_the_constructor_is_written_for_a_class_with_many_instances() -> None:
    @dataclass(frozen=True)
    class Fresh:
        number: int = 0

    parameters: list[str] = []
    for number in range(20):
        assert Fresh(number).number == number
        parameters.append(" ".join(inspect.signature(Fresh.__init__).parameters))

    assert (parameters[0], parameters[-1]) == ("self args kwargs", "self number")


def test_a_host_need_not_load_dataclasses() -> None:
    script = "import sys, reconciler.resources.channel.remote; print('dataclasses' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
