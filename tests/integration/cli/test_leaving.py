"""What becomes of things and hosts that leave the manifests, or move within them."""

from __future__ import annotations

from tests.integration.cli.conftest import Repository, host

APP = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: NAME}\nspec:\n  hosts: role=web\n"


def app(name: str, *files: str, more: str = "") -> str:
    """An app that owns these files."""
    resources = "".join(f"    - file: {{path: {path}, content: {name}}}\n" for path in files)
    return f"{APP.replace('NAME', name)}{more}  resources:\n{resources or '    []'}\n"


def test_a_thing_stays_where_it_was_until_the_app_that_it_moves_to_is_healthy(small: Repository) -> None:
    small.write("manifests/apps/old.yaml", app("old", "/etc/kept", "/etc/moved"))
    assert small("--yes").code == 0
    small.write("manifests/apps/old.yaml", app("old", "/etc/kept"))
    unwell = '  health: [{command: {argv: ["false"]}, within: 0s}]\n'
    small.write("manifests/apps/young.yaml", app("young", "/etc/moved", more=unwell))

    ran = small("--yes")
    assert ran.code == 3
    assert small.on_host("/etc/moved").read_text() == "old"
    assert small("verify", "--app", "old").code == 0
    assert small.on_host("/etc/moved").exists(), "nor does the old app delete it afterwards"

    small.write("manifests/apps/young.yaml", app("young", "/etc/moved"))
    assert small("--yes").code == 0
    assert small.on_host("/etc/moved").read_text() == "young"
    assert small("--dry-run").last_line.startswith("No changes.")


def test_an_app_that_leaves_keeps_what_another_has_not_taken_over_yet(small: Repository) -> None:
    small.write("manifests/apps/old.yaml", app("old", "/etc/gone", "/etc/moved"))
    assert small("--yes").code == 0
    (small.root / "manifests/apps/old.yaml").unlink()
    unwell = '  health: [{command: {argv: ["false"]}, within: 0s}]\n'
    small.write("manifests/apps/young.yaml", app("young", "/etc/moved", more=unwell))
    assert small("--yes").code == 3
    assert small.on_host("/etc/moved").read_text() == "old"
    assert not small.on_host("/etc/gone").exists()

    small.write("manifests/apps/young.yaml", app("young", "/etc/moved"))
    assert small("--yes").code == 0
    assert small.on_host("/etc/moved").read_text() == "young"
    assert small("--dry-run").last_line.startswith("No changes.")
    small("--yes")
    assert "old" not in small("status").out


def test_a_thing_whose_new_app_is_given_up_is_deleted_after_all(small: Repository) -> None:
    small.write("manifests/apps/old.yaml", app("old", "/etc/kept", "/etc/moved"))
    assert small("--yes").code == 0
    small.write("manifests/apps/old.yaml", app("old", "/etc/kept"))
    unwell = '  health: [{command: {argv: ["false"]}, within: 0s}]\n'
    small.write("manifests/apps/young.yaml", app("young", "/etc/moved", more=unwell))
    assert small("--yes").code == 3
    (small.root / "manifests/apps/young.yaml").unlink()
    assert small("--yes").code == 0
    assert not small.on_host("/etc/moved").exists()
    assert small.on_host("/etc/kept").exists()
    assert small("--dry-run").last_line.startswith("No changes.")


def test_a_host_is_pruned_before_it_goes_and_one_that_is_gone_is_forgotten_and_not_touched(small: Repository) -> None:
    small.write("manifests/hosts/second.yaml", host("second"))
    assert small("--yes").code == 0
    small.write("manifests/hosts/second.yaml", host("second", "role: web", "  lifecycle: retire"))
    planned = small("--dry-run").out
    assert "- file:/etc/hello" in planned
    assert small("--yes").code == 0
    assert not small.on_host("/etc/hello", "second").exists()
    assert small.on_host("/etc/hello").exists()

    (small.root / "manifests/hosts/demo.yaml").unlink()
    small.write("manifests/hosts/second.yaml", host("second"))
    assert "demo left the manifests and would be forgotten, not touched." in small("--dry-run").out
    assert small("--yes").code == 0
    assert small.on_host("/etc/hello").exists()
    assert "demo" not in small("status").out + small("hosts", "facts").out


PROXY = """apiVersion: reconciler/v1
kind: App
metadata: {name: proxy}
spec:
  hosts: role=proxy
  resources:
STEP    - file: {path: /etc/proxy, content: "{% for web in hosts('role=web') %}{{ web.name }} {% endfor %}"}
"""


STEP = "    - command: {argv: ['HOW']}\n"


def test_a_host_is_pruned_once_nobody_speaks_to_it_any_more(small: Repository) -> None:
    small.write("manifests/hosts/lb.yaml", host("lb", "role: proxy"))
    small.write("manifests/hosts/second.yaml", host("second"))
    small.write("manifests/apps/proxy.yaml", PROXY.replace("STEP", ""))
    assert small("--yes").code == 0
    assert small.on_host("/etc/proxy", "lb").read_text() == "demo second "

    small.write("manifests/hosts/second.yaml", host("second", "role: web", "  lifecycle: retire"))
    small.write("manifests/apps/proxy.yaml", PROXY.replace("STEP", STEP.replace("HOW", "false")))
    ran = small("--yes")
    assert ran.code == 3
    assert "not tried: waits for proxy on lb to leave this host out" in ran.out
    assert (
        "retired; what is ours is removed once this is applied without it, or by --override-drain: proxy on lb\n"
        in small("status").out
    )
    assert small.on_host("/etc/hello", "second").exists()

    small.write("manifests/apps/proxy.yaml", PROXY.replace("STEP", STEP.replace("HOW", "true")))
    assert small("--yes").code == 0
    assert small.on_host("/etc/proxy", "lb").read_text() == "demo "
    assert not small.on_host("/etc/hello", "second").exists()
    assert small("--dry-run").last_line.startswith("No changes.")


def test_a_person_may_say_that_a_host_is_pruned_although_another_still_lists_it(small: Repository) -> None:
    small.write("manifests/hosts/lb.yaml", host("lb", "role: proxy"))
    small.write("manifests/hosts/second.yaml", host("second"))
    small.write("manifests/apps/proxy.yaml", PROXY.replace("STEP", ""))
    assert small("--yes").code == 0
    small.write("manifests/hosts/second.yaml", host("second", "role: web", "  lifecycle: retire"))
    small.write("manifests/apps/proxy.yaml", PROXY.replace("STEP", STEP.replace("HOW", "false")))
    assert small("--yes").code == 3
    assert small.on_host("/etc/hello", "second").exists()

    assert "needs --host and --reason" in small("apply", "--yes", "--host", "second", "--override-drain").err
    ran = small("apply", "--yes", "--host", "second", "--override-drain", "--reason", "lb is dead")
    assert ran.code == 0, ran.out + ran.err
    assert not small.on_host("/etc/hello", "second").exists()
    history = small("history").out
    assert "drain-overridden" in history
    assert "lb is dead" in history


def test_a_host_is_forgotten_when_asked_once_it_is_in_no_manifest(small: Repository) -> None:
    small.write("manifests/hosts/second.yaml", host("second"))
    assert small("--yes").code == 0
    declared = small("hosts", "forget", "second")
    assert declared.code == 1
    assert "second is in the manifests. Write lifecycle: retire, apply, then delete its manifest" in declared.err

    (small.root / "manifests/hosts/second.yaml").unlink()
    assert small("hosts", "forget", "second", "--reason", "burnt down").code == 0
    assert small.on_host("/etc/hello", "second").exists()
    assert "second" not in small("--dry-run").out
    assert "burnt down" in small("history").out
    again = small("hosts", "forget", "secnd")
    assert again.code == 1
    assert "nothing is known of secnd" in again.err


def test_a_lost_ledger_is_made_again_from_what_stands_there_and_nothing_is_written(small: Repository) -> None:
    assert small("--yes").code == 0
    written = small.on_host("/etc/hello").stat().st_mtime_ns
    (ledger,) = small.on_host("/var/lib/reconciler").glob("**/ledger.json")
    ledger.unlink()
    assert small("--yes").code == 0
    assert small.on_host("/etc/hello").stat().st_mtime_ns == written
    assert ledger.exists()
    assert small("--dry-run").last_line.startswith("No changes.")
