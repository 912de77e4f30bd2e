"""Which keys of a server are known, as sshd(8) describes known_hosts."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from reconciler.transport.host_keys import PublicKey, expected_of
from reconciler.transport.route import Stop

ONE, OTHER = (base64.b64encode(word).decode() for word in (b"one", b"other"))


def known(tmp_path: Path, lines: str, *, name: str = "web-1", port: int = 22) -> list[str]:
    (tmp_path / "known_hosts").write_text(lines)
    expected = expected_of(Stop(name, name), name, port, [tmp_path / "none", tmp_path / "known_hosts"])
    return [key.text for key in expected.keys]


@pytest.mark.parametrize(
    ("line", "name", "port", "found"),
    [
        (f"web-1 ssh-ed25519 {ONE}", "web-1", 22, True),
        (f"web-1,10.0.0.5 ssh-ed25519 {ONE} a comment", "10.0.0.5", 22, True),
        (f"WEB-1 ssh-ed25519 {ONE}", "Web-1", 22, True),
        (f"web-1 ssh-ed25519 {ONE}", "web-1", 2222, False),
        (f"[web-1]:2222 ssh-ed25519 {ONE}", "web-1", 2222, True),
        (f"*.example,!db.example ssh-ed25519 {ONE}", "web.example", 22, True),
        (f"*.example,!db.example ssh-ed25519 {ONE}", "db.example", 22, False),
        (f"@cert-authority web-1 ssh-ed25519 {ONE}", "web-1", 22, False),
        (f"# web-1 ssh-ed25519 {ONE}", "web-1", 22, False),
        ("web-1 ssh-ed25519 not-base64!", "web-1", 22, False),
        ("|1|broken ssh-ed25519 " + ONE, "web-1", 22, False),
    ],
)
def test_a_line_counts_for_the_names_that_it_has(
    tmp_path: Path, line: str, name: str, port: int, *, found: bool
) -> None:
    assert known(tmp_path, f"{line}\n", name=name, port=port) == ([ONE] if found else [])


def test_the_first_file_that_knows_the_server_decides(tmp_path: Path) -> None:
    for file, text in (("a", ONE), ("b", OTHER)):
        (tmp_path / file).write_text(f"web-1 ssh-ed25519 {text}\n")
    expected = expected_of(Stop("web-1", "web-1"), "web-1", 22, [tmp_path / "a", tmp_path / "b"])
    assert expected.accepts(PublicKey("ssh-ed25519", ONE))
    assert not expected.accepts(PublicKey("ssh-ed25519", OTHER))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert known(tmp_path, f"web-1 ssh-ed25519 {ONE}\n") == [ONE]
    assert known(tmp_path, f"web-1 ssh-ed25519 {ONE}\nweb-1 ssh-rsa {OTHER}\n") == [ONE, OTHER]


def test_a_declared_key_may_be_a_fingerprint(tmp_path: Path) -> None:
    key = PublicKey("ssh-ed25519", ONE)
    for text in (key.fingerprint, f"ssh-ed25519 {ONE} web-1"):
        expected = expected_of(Stop("web-1", "web-1", host_key=text), "web-1", 22, [])
        assert expected.accepts(key)
        assert not expected.accepts(PublicKey("ssh-ed25519", OTHER))
