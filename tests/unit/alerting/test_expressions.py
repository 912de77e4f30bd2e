"""Expressions over metrics: what they say, what they need, and what is refused before anything is measured."""

import pytest

from reconciler.alerting.expressions import Scope, compile_metrics
from reconciler.errors import InvalidInput
from tests.unit.alerting.views import Written

VIEW = Written(
    values={"cpu.percent": 95.0, "mem.percent": 40.0, "filesystem.free_bytes": 1e9, "queue_depth": 7.0},
    series={"cpu.percent": [10.0, 20.0, 90.0], "queue_depth": [5.0, 9.0, 2.0, 4.0]},
    many={"filesystem.percent": [10.0, 97.0], "cpu.percent": [50.0, 70.0]},
    facts={("os", "id"): "debian", ("cores",): 10**400, ("host", "labels", "env"): "prod"},
    alerts=({"severity": "critical"}, {"severity": "warning"}),
)

SAYS = [
    ("cpu.percent > 90", True),
    ("cpu.percent > 90 and mem.percent > 90", False),
    ("cpu.percent > 99 or not mem.percent > 90", True),
    ("mem.percent * 2 + 10 == 90", True),
    ("-cpu.percent < -94", True),
    ("cpu.percent / 0 > 1", None),
    ("avg(cpu.percent, window=3s) == 40", True),
    ("max(cpu.percent, window=2s) == 90", True),
    ("sum(queue_depth, window=1m) == 20", True),
    ("count(cpu.percent, window=1m) == 3", True),
    ("delta(queue_depth, window=1m) == -1", True),
    ("rate(queue_depth, window=1m) * 3 == 4 + 2 + 2", True),
    ("changes(queue_depth, window=1m) == 3", True),
    ("quantile(cpu.percent, 0.5, window=1m) == 20", True),
    ("predict(cpu.percent, window=1m, ahead=1s) == 120", True),
    ("max(filesystem.percent) > 95", True),
    ("age(cpu.percent) < 30", True),
    ("facts.os.id == 'debian'", True),
    ("host.labels.env != 'prod'", False),
    ("alerts('severity=critical') == 1", True),
    ("network.errors_per_second > 0", None),
    ("network.errors_per_second > 0 and mem.percent > 90", False),
    ("network.errors_per_second > 0 or cpu.percent > 90", True),
    ("not network.errors_per_second > 0", None),
    ("rate(network.errors_per_second, window=5m) > 0", None),
    ("facts.os.version > 3", None),
    ("facts.cores * 2 > 3", None),
]


@pytest.mark.parametrize(("text", "said"), SAYS)
def test_an_expression_is_true_false_or_not_known(text: str, said: object) -> None:
    assert compile_metrics(text).holds(VIEW) is said


REFUSED = [
    ("cpu.percnt > 90", "Did you mean cpu.percent?"),
    ("cpu > 90", "cpu is several metrics. Known: cpu.percent"),
    ("cpu.percent > '90'", '"90" is text, and it is compared with a number. Remove the quotes'),
    ("avrg(cpu.percent) > 1", 'there is no function "avrg". Did you mean avg?'),
    ("avg(cpu.percent, windw=5m) > 1", "avg takes no windw. Did you mean window?"),
    ("rate(cpu.percent) > 1", "rate looks back and needs to know how far. Add window: rate(cpu.percent, window=5m)"),
    ("predict(cpu.percent, window=5m) > 1", "predict needs to know how far ahead. Add ahead=24h"),
    ("quantile(cpu.percent, 95, window=5m) > 1", "a quantile lies between 0 and 1. The 95th is 0.95"),
    ("filesystem.percent > 90", "Add each: filesystem, or write max(filesystem.percent)"),
    ("cpu.percent in [1]", "a comparison has one of"),
    ("[1, 2]", "it takes comparisons"),
    ("cpu.percent >", "unexpected"),
    ("alerts('a in') == 0", "cannot read selector"),
    ("(" * 3000 + "1" + ")" * 3000, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_what_cannot_be_measured_is_told_with_the_remedy(text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_metrics(text)
    assert told in str(caught.value)


def test_each_names_what_a_rule_goes_through() -> None:
    expression = compile_metrics("filesystem.free_bytes < 2e9", Scope(each="filesystem"))

    assert expression.holds(VIEW)
    assert expression.subject(VIEW) == 1e9


def test_over_the_fleet_every_metric_has_many_values() -> None:
    assert compile_metrics("avg(cpu.percent) == 60", Scope(fleet=True)).holds(VIEW)
    with pytest.raises(InvalidInput, match=r"has a value for each host. Write it like max\(cpu.percent\)"):
        compile_metrics("cpu.percent > 90", Scope(fleet=True))


def test_an_expression_says_which_samples_it_needs() -> None:
    needed = compile_metrics("avg(cpu.percent, window=5m) > 90 and cpu.percent > 80 or mem.percent > 95").windows

    assert needed == {"cpu.percent": 300.0, "mem.percent": 0.0}


def test_only_declared_metrics_of_apps_are_known_where_they_are_all_declared() -> None:
    scope = Scope(own=frozenset({"queue_depth"}))

    assert compile_metrics("queue_depth > 5", scope).holds(VIEW)
    with pytest.raises(InvalidInput, match=r"Did you mean queue_depth\?"):
        compile_metrics("queue_dept > 5", scope)
