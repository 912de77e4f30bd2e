"""From manifests to a converged host and back to an empty plan, as a person does it."""

from __future__ import annotations

import json
import os
import re
from contextlib import closing
from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from reconciler.clock import SystemClock
from reconciler.store import opening
from reconciler.store.keys import PERMANENT, Keys
from tests.integration.cli.conftest import Repository, host, scrubbed


def test_the_example_fleet_converges_and_then_has_nothing_to_do(example: Repository) -> None:
    first = example("apply", "--yes")
    assert first.code == 0, first.out + first.err
    assert 'password = "correct horse battery"' in example.on_host("/etc/webapp/mysql.cnf").read_text()
    assert "listen 8080" in example.on_host("/etc/nginx/sites-enabled/webapp.conf").read_text()

    again = example("plan", "--detailed-exitcode")
    assert again.code == 0
    assert again.last_line.startswith("No changes. 1 host matches revision ")


def test_what_people_read_on_the_way(example: Repository, snapshot: SnapshotAssertion) -> None:
    story = [example("plan"), example("apply", "--yes"), example("status"), example("verify"), example("hosts")]
    assert [scrubbed(ran.out) for ran in story] == snapshot


def test_a_dry_run_changes_nothing_anywhere(example: Repository) -> None:
    before = _files(example.root)
    assert example("--dry-run", "--detailed-exitcode").code == 2
    assert _files(example.root) == before


def test_an_edited_template_shows_as_a_diff_and_arrives(example: Repository) -> None:
    example("apply", "--yes")
    example.replace("templates/base/motd.j2", "is managed by", "is looked after by")

    plan = example("--dry-run", "--detailed-exitcode")
    assert plan.code == 2
    assert "-demo (demo) is managed by" in plan.out
    assert "+demo (demo) is looked after by" in plan.out
    assert plan.last_line == "Plan: 0 to add, 1 to change, 0 to delete, 0 unknown on 1 host."

    assert example("apply", "--yes").code == 0
    assert "looked after" in example.on_host("/etc/motd").read_text()
    assert example("--dry-run").last_line.startswith("No changes.")


def test_a_rotated_secret_is_a_change_and_is_never_shown(example: Repository) -> None:
    example("apply", "--yes")
    example.write(".reconciler/secrets/webapp/mysql_pass", "staple of the new kind\n")

    plan = example("plan", "--detailed-exitcode")
    assert plan.code == 2
    assert "secret webapp/mysql_pass changed" in plan.out
    applied = example("apply", "--yes")
    assert "staple of the new kind" in example.on_host("/etc/webapp/mysql.cnf").read_text()
    told = plan.out + applied.out + applied.err + example("render", "demo", "webapp").out + example("history").out
    assert "staple" not in told
    assert "horse" not in told


def test_an_app_that_leaves_the_manifests_leaves_the_host(small: Repository) -> None:
    small("apply", "--yes")
    assert small.on_host("/etc/hello").exists()
    small.replace("manifests/apps/hello.yaml", "hosts: role=web", "hosts: role=db\n  allowEmpty: true")

    assert "- file:/etc/hello" in small("plan").out
    assert small("apply", "--yes").code == 0
    assert not small.on_host("/etc/hello").exists()
    assert small("plan").last_line.startswith("No changes.")


def test_the_history_names_what_was_done_and_why_it_failed(small: Repository) -> None:
    small("apply", "--yes")
    assert "converged: add file:/etc/hello\n" in small("history").out
    small.replace("manifests/apps/hello.yaml", "{greeting: Hello}", "{greeting: Bye}")
    small.on_host("/etc/other").mkdir()
    small.write(
        "manifests/apps/other.yaml",
        "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: other}\n"
        "spec: {hosts: role=web, resources: [{file: {path: /etc/other, content: x}}]}\n",
    )
    assert small("apply", "--yes").code == 3
    told = small("history").out
    assert "converged: change file:/etc/hello\n" in told
    assert "(file:/etc/other: /etc/other exists, differs and is not ours)" in told, told
    done = [event["done"] for event in json.loads(small("history", "--app", "hello", "-o", "json").out)["events"]]
    assert done == [{"file:/etc/hello": "change"}, {"file:/etc/hello": "add"}]


def test_losing_the_store_touches_no_host(small: Repository) -> None:
    small("apply", "--yes")
    _stop_server(small)
    before = _stat(small.on_host("/etc/hello"))

    assert small("plan", "--detailed-exitcode").code == 0
    assert small("apply", "--yes").last_line.startswith("No changes.")
    assert small("plan").last_line.startswith("No changes.")
    assert _stat(small.on_host("/etc/hello")) == before


def test_a_lost_store_holds_up_no_dependent(example: Repository) -> None:
    example("apply", "--yes")
    _stop_server(example)
    example.replace("templates/nginx/site.conf.j2", "server {", "# edited\nserver {")

    plan = example("plan")
    assert "+# edited" in plan.out
    applied = example("apply", "--yes")
    assert applied.code == 0, applied.out
    assert "# edited" in example.on_host("/etc/nginx/sites-available/webapp.conf").read_text()
    assert example("status").out.count("in sync") >= 2


def test_drift_is_shown_apart_and_healed_by_the_next_apply(small: Repository) -> None:
    small("apply", "--yes")
    small.on_host("/etc/hello").write_text("someone was here\n")

    assert small("verify", "--detailed-exitcode").code == 2
    plan = small("plan")
    assert "rift" in plan.out
    small("apply", "--yes")
    assert small.on_host("/etc/hello").read_text() == "Hello from demo\n"
    assert small("verify", "--detailed-exitcode").code == 0


def test_a_plan_sees_drift_that_nobody_has_reported(small: Repository) -> None:
    small("apply", "--yes")
    reviewed = json.loads(small("plan", "-o", "json").out)["plan"]["id"]
    small.on_host("/etc/hello").write_text("tampered\n")

    plan = small("plan", "--detailed-exitcode")
    assert plan.code == 2
    assert plan.last_line.endswith("; 1 drifted.")
    assert small("apply", "--yes", "--plan-id", reviewed).code == 1
    assert small("apply", "--yes").code == 0
    assert small.on_host("/etc/hello").read_text() == "Hello from demo\n"


def test_an_app_with_rollout_steps_waits_until_it_is_named(small: Repository) -> None:
    small.replace(
        "manifests/apps/hello.yaml", "  config:", "  rollout: {steps: [{batch: 1, approve: true}]}\n  config:"
    )
    assert "rollout steps are not carried out by this version" in small("plan").out
    assert small("apply", "--yes").code == 0
    assert not small.on_host("/etc/hello").exists()
    assert small("apply", "--yes", "--app", "hello").code == 0
    assert small.on_host("/etc/hello").exists()


def test_a_host_that_fails_gets_exit_3_and_keeps_nothing_half_done(small: Repository) -> None:
    small.on_host("/etc").mkdir(parents=True)
    small.on_host("/etc/hello").write_text("mine\n")

    ran = small("apply", "--yes")
    assert ran.code == 3
    assert "exists, differs and is not ours" in ran.out
    assert "adopt: replace" in ran.out
    assert small.on_host("/etc/hello").read_text() == "mine\n"


def test_a_rollback_is_told_beside_the_host(small: Repository) -> None:
    small("apply", "--yes")
    small.write("templates/hello.j2", "Goodbye\n")
    small.replace(
        "manifests/apps/hello.yaml",
        "  resources:",
        "  health: [{command: {argv: ['false']}, within: 0s}]\n  resources:",
    )

    ran = small("apply", "--yes")
    assert ran.code == 3
    assert re.search(r"^demo  ok=.*  hello rolled back$", ran.out, re.MULTILINE)
    assert small.on_host("/etc/hello").read_text() == "Hello from demo\n"


def test_an_app_waits_for_what_it_depends_on_elsewhere(small: Repository) -> None:
    small.write("manifests/hosts/db-1.yaml", host("db-1", "role: db"))
    small.write(
        "manifests/apps/db.yaml",
        "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: db}\n"
        "spec: {hosts: role=db, resources: [{file: {path: /etc/db, content: db}}]}\n",
    )
    small.replace("manifests/apps/hello.yaml", "  config:", "  dependsOn: [{app: db}]\n  config:")
    small.on_host("/etc", "db-1").mkdir(parents=True)
    small.on_host("/etc/db", "db-1").write_text("in the way")

    refused = small("apply", "--yes")
    assert refused.code == 3
    assert "waits for db on db-1" in refused.out
    assert not small.on_host("/etc/hello").exists()

    small.on_host("/etc/db", "db-1").unlink()
    assert small("apply", "--yes").code == 0
    assert small.on_host("/etc/hello").exists()


def test_too_many_deletes_are_refused_unless_they_are_named(small: Repository) -> None:
    files = "".join(f"    - file: {{path: /etc/many/{n}, content: x}}\n" for n in range(20))
    small.replace("manifests/apps/hello.yaml", "    - file: {path: /etc/hello, template: hello.j2}\n", files)
    small("apply", "--yes")
    few = "    - file: {path: /etc/many/0, content: x}\n"
    small.replace("manifests/apps/hello.yaml", files, few)

    refused = small("apply", "--yes")
    assert refused.code == 1
    assert "--allow-deletes 19" in refused.err
    assert small.on_host("/etc/many/19").exists()
    assert small("apply", "--yes", "--allow-deletes", "19").code == 0
    assert not small.on_host("/etc/many/19").exists()


def test_a_dry_run_tells_what_an_apply_would_refuse(small: Repository) -> None:
    files = "".join(f"    - file: {{path: /etc/many/{n}, content: x}}\n" for n in range(13))
    small.replace("manifests/apps/hello.yaml", "    - file: {path: /etc/hello, template: hello.j2}\n", files)
    small("apply", "--yes")
    small.replace("manifests/apps/hello.yaml", files, files.splitlines(keepends=True)[0])
    assert "An apply would be refused: deletes 12 of 13" in small("plan").out


def test_a_plan_that_changed_since_its_review_is_not_applied(small: Repository) -> None:
    reviewed = json.loads(small("plan", "-o", "json").out)["plan"]["id"]
    small.replace("templates/hello.j2", "from", "out of")

    refused = small("apply", "--yes", "--plan-id", reviewed)
    assert refused.code == 1
    assert reviewed in refused.err
    assert not small.on_host("/etc/hello").exists()


def test_a_paused_host_is_left_alone_until_it_is_resumed(small: Repository) -> None:
    small("apply", "--yes")
    small("pause", "--host", "demo", "--reason", "disk swap")
    small.replace("manifests/apps/hello.yaml", "Hello", "Bye")

    assert "disk swap" in small("plan").out
    small("apply", "--yes")
    assert small.on_host("/etc/hello").read_text() == "Hello from demo\n"
    _stop_server(small)
    assert "disk swap" in small("plan").out

    small("resume", "--host", "demo")
    assert small("apply", "--yes").code == 0
    assert small.on_host("/etc/hello").read_text() == "Bye from demo\n"


def test_a_plan_runs_no_program_that_nobody_agreed_to_and_shows_no_file_that_is_not_ours(small: Repository) -> None:
    proof = small.root / "ran"
    step = f"    - command: {{argv: [touch, {proof}.done], unless: [sh, -c, 'touch {proof}; test -e {proof}.done']}}\n"
    small.write("manifests/apps/hello.yaml", (small.root / "manifests/apps/hello.yaml").read_text() + step)
    small.replace("manifests/apps/hello.yaml", "  config:", "  adopt: replace\n  config:")
    small.on_host("/etc").mkdir(parents=True)
    small.on_host("/etc/hello").write_text("token=PRIVATE\n")

    plan = small("plan")
    assert "only after it was applied once" in plan.out
    assert "PRIVATE" not in plan.out
    assert not proof.exists()
    assert small("apply", "--yes").code == 0
    assert proof.exists()


def test_another_revision_is_compared_without_a_server(small: Repository) -> None:
    small.replace("templates/hello.j2", "from", "out of")
    ran = small("plan", "--against", "HEAD", "--detailed-exitcode")
    assert ran.code == 2
    assert "-Hello from demo" in ran.out
    assert "+Hello out of demo" in ran.out
    assert not (small.root / ".reconciler" / "store").exists()


def test_apps_out_of_scope_keep_what_was_said_of_them(small: Repository) -> None:
    small.write(
        "manifests/apps/other.yaml",
        "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: other}\n"
        "spec: {hosts: role=web, resources: [{file: {path: /etc/other, content: one}}]}\n",
    )
    small("apply", "--yes")
    small.replace("manifests/apps/other.yaml", "one", "two")
    small.replace("manifests/apps/hello.yaml", "Hello", "Bye")

    small("apply", "--yes", "--app", "hello")
    assert small.on_host("/etc/hello").read_text() == "Bye from demo\n"
    assert small.on_host("/etc/other").read_text() == "one"
    assert "other on demo" in small("plan").out


def test_a_renamed_app_keeps_what_it_owns(small: Repository) -> None:
    small("apply", "--yes")
    before = _stat(small.on_host("/etc/hello"))
    small.replace("manifests/apps/hello.yaml", "{name: hello}", "{name: greeting, formerly: [hello]}")

    ran = small("apply", "--yes")
    assert ran.code == 0
    assert "0 to delete" in ran.out or "No changes" in ran.out
    assert _stat(small.on_host("/etc/hello")) == before
    assert small("plan").last_line.startswith("No changes.")


def test_what_failed_is_not_tried_again_until_something_changes(small: Repository) -> None:
    step = "    - command: {argv: [sh, -c, 'test \"$PASSWORD\" = right'], env: {PASSWORD: '{{ password }}'}}\n"
    small.replace("manifests/apps/hello.yaml", "greeting: Hello", "greeting: Hello, password: {secret: hello/password}")
    small.write("manifests/apps/hello.yaml", (small.root / "manifests/apps/hello.yaml").read_text() + step)
    small.write(".reconciler/secrets/hello/password", "wrong")

    assert small("apply", "--yes").code == 3
    again = small("apply", "--yes")
    assert again.code == 3
    assert "it failed here before" in again.out
    assert "--app hello" in again.out

    small.write(".reconciler/secrets/hello/password", "right")
    assert small("apply", "--yes").code == 0
    assert small.on_host("/etc/hello").exists()


def test_every_key_of_a_full_run_expires_or_is_documented(example: Repository) -> None:
    example("apply", "--yes")
    example("verify")
    example("pause", "--host", "demo", "--reason", "look")
    runtime = Path(os.environ["RECONCILER_RUNTIME_DIR"])
    with closing(opening.embedded(example.root / ".reconciler" / "store", runtime, SystemClock())) as opened:
        keys = [key.decode() for key in opened.link.send("KEYS", "*")]
        forever = {Keys().shape(key) for key in keys if opened.link.send("TTL", key) == -1}
    assert keys
    assert forever <= set(PERMANENT)


def _files(root: Path) -> dict[str, object]:
    return {
        str(path.relative_to(root)): _stat(path)
        for path in sorted(root.rglob("*"))
        if ".git" not in path.relative_to(root).parts
    }


def _stat(path: Path) -> tuple[int, int, int]:
    found = os.lstat(path)
    return found.st_ino, found.st_mtime_ns if not path.is_dir() else 0, found.st_mode


def _stop_server(repository: Repository) -> None:
    """The embedded server has ended with the last command; its data goes."""
    import shutil

    shutil.rmtree(repository.root / ".reconciler" / "store")
