"""Text that is no manifest, or means harm: a clear problem, soon and with bounded memory, never a traceback."""

import tracemalloc

import pytest

from tests.unit.manifests.trees import HOST, fleet, host, problems

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGES = "a0: &a0 {x: 1, y: 2}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, z{n}: 1}}\n" for n in range(1, 2000))

TEXTS: dict[str, tuple[str | bytes, str]] = {
    "an alias bomb": (BOMB, "5:40: the aliases of this file stand for more than 100,000 values"),
    "a chain of merges": (MERGES, "the aliases of this file stand for more than 100,000 values"),
    "a value inside itself": ("a: &a [*a]\n", "1:8: alias *a stands inside what it names"),
    "an unknown alias": ("a: *b\n", "1:4: alias *b names no anchor above it"),
    "brackets": ("a: " + "[" * 3000, "1:53: nested deeper than 50 levels"),
    "braces": ("{a: " * 3000, "1:201: nested deeper than 50 levels"),
    "dashes": ("- " * 3000, "1:101: nested deeper than 50 levels"),
    "question marks": ("? " * 3000, "1:101: nested deeper than 50 levels"),
    "a scalar of 10 MB": ("a: '" + "x" * 10_000_000 + "'", ": is 9.5 MB; a manifest file may have 4 MB. Split it"),
    "a number of 5,000 digits": (host("x", spec=f"  vars: {{a: {'9' * 5000}}}\n"), "6:13: number 99999"),
    "a NUL byte": ("a: b\x00c\n", "1:5: control character U+0000 is not allowed in YAML."),
    "an escaped NUL byte in a field": (host("x", spec='  sandboxRoot: "a\\0b"\n'), "6:16: sandboxRoot holds a NUL"),
    "bytes that are not UTF-8": (b"a: b\nc: \xff\xfe\n", "2: byte 0xff is not UTF-8. Save the file as UTF-8"),
    "UTF-16": (HOST.encode("utf-16"), "1: byte 0xff is not UTF-8. Save the file as UTF-8"),
    "half a surrogate pair": (host("x", spec='  vars: {a: "\\ud800", u: http://x/}\n'), "manifests/x.yaml:6:"),
    "a tab": ("a:\n\tb: 1\n", "cannot start any token. Indent with spaces, not with tabs"),
    "an expression without quotes": (host("x", spec="  vars:\n    a: {{ b }}/c\n"), 'Quote it: "{{ b }}/c"'),
    "a colon in a value": ("a: b: c\n", "1:5: not valid YAML: mapping values are not allowed here. Quote a value"),
    "a conflict of a merge": ("<<<<<<< HEAD\nb: 1\n=======\n>>>>>>> x\n", ":1: a conflict of git is not resolved."),
    "a list as a key": ("? [a]\n: b\n", "1:5: a list cannot be a key"),
    "a map as a key": ("? {a: b}\n: c\n", "a map cannot be a key"),
    "an unknown directive": ("%FOO\n--- \n", ": holds no manifest"),
    "nothing": ("", ": holds no manifest. Delete it, or write apiVersion: reconciler/v1, kind, metadata and spec"),
    "only a comment": ("# later\n", ": holds no manifest."),
    "only empty documents": ("---\n---\n", ": holds no manifest."),
    "an unfinished string": ('a: "', "not valid YAML: found unexpected end of stream"),
    "a binary": (b"\x7fELF\x02\x01\x01", "1:1: control character U+007F is not allowed in YAML."),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_such_text_is_a_clear_problem(name: str) -> None:
    text, expected = TEXTS[name]
    problems(fleet())  # what is imported counts for nothing

    tracemalloc.start()
    try:
        found = problems(fleet(x=text))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert any(line.startswith("manifests/x.yaml") and expected in line for line in found), found
    assert peak_bytes < 100_000_000


def test_a_byte_order_mark_is_no_problem() -> None:
    assert problems(fleet(x=b"\xef\xbb\xbf" + host("x").encode())) == []


def test_line_ends_of_other_systems_are_no_problem() -> None:
    assert problems(fleet(x=host("x").replace("\n", "\r\n"))) == []


def test_a_large_file_in_which_libyaml_refuses_something_ends_with_its_word() -> None:
    many = "---\n".join(host(f"h{n}") for n in range(3000)) + "---\na: {url: http://x/}\n"

    assert any("not valid YAML" in line for line in problems(fleet(x=many)))
