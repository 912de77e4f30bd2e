"""Label selectors: the grammar, what they match, and that their text says it all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.selector import EVERYTHING, Operator, Requirement, Selector, SelectorError

WEB_1 = {"role": "web", "zone": "eu-1", "canary": ""}


def matches(text: str, labels: dict[str, str] = WEB_1, name: str = "web-1", apps: tuple[str, ...] = ()) -> bool:
    return Selector.parse(text).matches(name, labels, apps)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "role=web",
        "role==web",
        " role = web ",
        "role!=db",
        "missing!=db",
        "role",
        "!legacy",
        "! legacy",
        "canary=",
        "role in (web)",
        "role in (db, web)",
        "role in(db,web)",
        "zone notin (us-1)",
        "zone not in (us-1)",
        "missing not in (us-1)",
        "role=web,zone in (eu-1,eu-2),!legacy,name=web-1",
        "name in (web-1, web-2)",
        "!app",
        "app!=mariadb",
    ],
)
def test_terms_that_hold_for_the_host(text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "role=db",
        "role!=web",
        "legacy",
        "!role",
        "role=",
        "missing=",
        "zone in (us-1)",
        "missing in (us-1)",
        "zone notin (eu-1,eu-2)",
        "role=web,zone=us-1",
        "name=web-2",
        "app",
        "app=webapp",
    ],
)
def test_terms_that_do_not_hold_for_the_host(text: str) -> None:
    assert not matches(text)


def test_a_host_has_every_app_that_selects_it() -> None:
    both = ("webapp", "mariadb")
    assert matches("app=webapp,app=mariadb", apps=both)
    assert not matches("app!=mariadb", apps=both)
    assert not matches("app notin (mariadb,redis)", apps=both)


def test_a_label_called_app_or_name_does_not_hide_the_real_ones() -> None:
    assert matches("name=web-1,app=webapp", {"name": "x", "app": "y"}, apps=("webapp",))


def test_the_apps_that_a_selector_speaks_of_are_known() -> None:
    assert Selector.parse("app=webapp,app notin (a,b),role=web").apps == {"webapp", "a", "b"}


def test_everything_matches_a_host_without_labels() -> None:
    assert EVERYTHING.matches("web-1", {})
    assert str(EVERYTHING) == "*"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        ",",
        "role=web,",
        "role=web, ",
        ",role=web",
        "role=web,,zone=eu-1",
        "role=web zone=eu-1",
        "role in web",
        "role in (web",
        "role in ((web))",
        "role in (a b)",
        "role in (a,b=c)",
        "role=web db",
        "=web",
        "!role=web",
        "*,role=web",
        "role=**",
        "role>1",
        "rôle=web",
        "role=wéb",
        "role\x00=web",
    ],
)
def test_what_is_not_in_the_grammar_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(SelectorError, match=r"expected key=value|ends with a comma"):
        Selector.parse(text)


def test_the_refusal_points_at_the_first_term_that_cannot_be_read() -> None:
    with pytest.raises(SelectorError, match='cannot read selector at "zone~eu"'):
        Selector.parse("role=web,zone~eu")


@pytest.mark.parametrize("text", ["role in (a b)", "role=web,zone notin (eu-1,(x))"])
def test_the_refusal_shows_a_list_that_cannot_be_read(text: str) -> None:
    with pytest.raises(SelectorError, match=r"cannot read selector at \"(role in \(a b\)|zone notin)"):
        Selector.parse(text)


def test_the_map_form_says_the_same_as_the_text() -> None:
    assert Selector.of({"zone": "eu-1", "role": "web"}) == Selector.parse("role=web,zone=eu-1")
    assert Selector.of({}) == EVERYTHING


@pytest.mark.parametrize("labels", [{"role": "a b"}, {"a b": "web"}, {"": "web"}, {"role": "a,b"}])
def test_a_map_that_no_text_could_say_is_refused(labels: dict[str, str]) -> None:
    with pytest.raises(SelectorError, match="expected"):
        Selector.of(labels)


def test_the_shortest_spelling_is_written() -> None:
    spelled = Selector.parse("a in (x) , b notin (y), c==z, d in (x, y), e not in (x,y), ! f, g")
    assert str(spelled) == "a=x,b!=y,c=z,d in (x,y),e notin (x,y),!f,g"


keys = st.builds(str.__add__, st.sampled_from("aZ0"), st.text("bY9._/-", max_size=3))
values = st.text("aZ0._/:@-", max_size=4)
sets = st.builds(
    Requirement,
    keys,
    st.sampled_from([Operator.IN, Operator.NOT_IN]),
    st.lists(values, min_size=1, max_size=3).map(tuple),
)
presence = st.builds(Requirement, keys, st.sampled_from([Operator.EXISTS, Operator.ABSENT]))
selectors = st.lists(sets | presence, max_size=4).map(lambda terms: Selector(tuple(terms)))
labels = st.dictionaries(keys, values, max_size=4)


@given(selector=selectors)
def test_the_text_of_a_selector_reads_back_as_the_same_selector(selector: Selector) -> None:
    assert Selector.parse(str(selector)) == selector


@given(selector=selectors, labels=labels, extra=sets | presence)
def test_another_term_never_matches_more(selector: Selector, labels: dict[str, str], extra: Requirement) -> None:
    narrower = Selector((*selector.requirements, extra))
    assert not narrower.matches("web-1", labels) or selector.matches("web-1", labels)


@given(key=keys, values=st.lists(values, min_size=1, max_size=3).map(tuple), labels=labels)
def test_in_and_notin_are_opposites(key: str, values: tuple[str, ...], labels: dict[str, str]) -> None:
    inside, outside = (Selector((Requirement(key, kind, values),)) for kind in (Operator.IN, Operator.NOT_IN))
    assert inside.matches("web-1", labels) != outside.matches("web-1", labels)


@given(key=keys, labels=labels)
def test_a_key_is_there_or_it_is_not(key: str, labels: dict[str, str]) -> None:
    assert matches(key, labels) != matches(f"!{key}", labels)


@given(labels=labels)
def test_a_map_of_a_hosts_own_labels_matches_it(labels: dict[str, str]) -> None:
    own = {key: value for key, value in labels.items() if key not in {"name", "app"}}
    assert Selector.of(own).matches("web-1", own)


@given(text=st.text(st.sampled_from("ab=!,() in*\n\x00ä"), max_size=20))
def test_any_text_is_refused_or_reads_back_as_the_same_selector(text: str) -> None:
    try:
        selector = Selector.parse(text)
    except SelectorError:
        return
    assert Selector.parse(str(selector)) == selector


def test_a_long_hostile_text_is_refused_in_few_words() -> None:
    for hostile in ("a" * 100_000 + "~", "a" + " " * 100_000 + "~", "a not" + " " * 100_000, "a in (" * 20_000):
        with pytest.raises(SelectorError) as refused:
            Selector.parse(hostile)
        assert len(str(refused.value)) < 200
