"""Whatever text stands below manifests/, loading it ends with manifests or with problems at their places."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.errors import InvalidInput
from reconciler.manifests import Loader
from reconciler.model.canonical import canonical
from reconciler.model.manifests import Manifests
from tests.unit.manifests.trees import FLEET, HOST, tree
from tests.unit.manifests.trees import example as example_fleet

VALID = [file.read().decode() for path, file in example_fleet().files.items() if path.endswith(".yaml")]
WORDS = [
    "spec", "hosts", "resources", "file", "path", "metadata", "name", "when", "block", "forEach", "config", "secret",
    "null", "~", "true", "0644", "1e999", ".nan", "-", "- ", ": ", "{", "}", "[", "]", "{{ x }}", "{% if %}", "&a ",
    "*a", "<<: *a", "!!str ", "!x ", "? ", "|\n", ">-\n", "'", '"', "\\x00", "\t", "\n", "\n  ", "\n---\n", "...",
    "#", "%YAML 1.1", "\u2028", "\x85", "\ufeff", "é", "😀", "\x07", "role=web", "app=webapp", "app=base", "1h30m",
    "90s", "50%", "state: absent",
]  # fmt: skip


def told(text: str | bytes) -> Manifests | list[str]:
    """What loading the text beside a sound fleet says; any other exception fails the test."""
    files = {"manifests/fleet.yaml": FLEET, "manifests/web.yaml": HOST, "manifests/x.yaml": text}
    try:
        return Loader().load(tree(files))
    except InvalidInput as error:
        return [str(problem) for problem in error.problems]


def check(text: str | bytes) -> None:
    found = told(text)
    if isinstance(found, list):
        assert found
        assert all(line.isprintable() for line in found)
    else:
        canonical([[app.config, app.health] for app in found.apps.values()])
        canonical([[host.config, host.vars] for host in found.hosts.values()])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A sound document with pieces taken out, doubled or put in."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        piece = draw(st.one_of(st.just(""), st.sampled_from(WORDS), st.just(text[start:end] * 2)))
        text = text[:start] + piece + text[end:]
    return text


@given(mutated())
@settings(max_examples=150)
def test_a_mutated_manifest_never_ends_in_a_traceback(text: str) -> None:
    check(text)


@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS), max_size=30).map("".join)))
@settings(max_examples=200)
@example('"\\U00110000": {{a}: b}')
@example('{a: http://x/, b: "\\ud800"}')
def test_random_text_never_ends_in_a_traceback(text: str) -> None:
    check(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=200))
def test_random_bytes_never_end_in_a_traceback(raw: bytes) -> None:
    check(raw)


KEYS = st.sampled_from(WORDS) | st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8) | st.sampled_from(WORDS)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
FIELDS = [
    "hosts", "dependsOn", "config", "resources", "health", "metrics", "rollout", "sync", "prune", "confirm", "address",
    "connection", "vars", "maintenance", "sandboxRoot", "priority", "guard", "retention", "deadMan", "params", "steps",
]  # fmt: skip


@given(
    st.sampled_from(["Fleet", "Host", "Group", "App", "Job"]),
    JSON,
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5),
)
@settings(max_examples=150)
def test_any_value_in_any_field_never_ends_in_a_traceback(kind: str, metadata: object, spec: object) -> None:
    document = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": metadata, "spec": spec}
    check(canonical(document))
    check(canonical({**document, "metadata": {"name": "x"}}))


KINDS = ["file", "link", "package", "service", "command", "line", "block", "name", "when", "forEach"]
RESOURCE_FIELDS = [
    "path",
    "name",
    "content",
    "template",
    "source",
    "argv",
    "state",
    "mode",
    "owner",
    "line",
    "reloadOn",
]
RESOURCES = st.dictionaries(st.sampled_from(RESOURCE_FIELDS), SCALARS | st.just("/x"), max_size=4)


@given(st.lists(st.dictionaries(st.sampled_from(KINDS), SCALARS | RESOURCES, max_size=3), max_size=4))
@settings(max_examples=150)
def test_any_resources_never_end_in_a_traceback(resources: list[object]) -> None:
    spec = {"hosts": "*", "resources": resources}
    check(canonical({"apiVersion": "reconciler/v1", "kind": "App", "metadata": {"name": "x"}, "spec": spec}))
