"""What enrolment writes into a manifest, and that nothing else in the file changes."""

import pytest

from reconciler.manifests.editing import with_connection

HEAD = "apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: web-1}\n"
AGENT = {"type": "agent", "sealingKey": "ab12"}
SSH = {"type": "ssh", "sealingKey": None}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "spec:\n  address: 10.0.0.5 # rack 4\n  vars: {a: 1}\n",
            'spec:\n  address: 10.0.0.5 # rack 4\n  connection: {type: agent, sealingKey: "ab12"}\n  vars: {a: 1}\n',
        ),
        (
            "spec: {address: 10.0.0.5, connection: {user: root}} # all on one line\n",
            'spec: {address: 10.0.0.5, connection: {user: root, type: agent, sealingKey: "ab12"}} # all on one line\n',
        ),
        ("spec: {address: a, connection: {}}\n", 'spec: {address: a, connection: {type: agent, sealingKey: "ab12"}}\n'),
        ("spec: {address: a}\n", 'spec: {address: a, connection: {type: agent, sealingKey: "ab12"}}\n'),
        (
            "spec:\n  address: a\n  connection:\n    # by way of the office\n    type: ssh # for now\n    user: root\n",
            (
                "spec:\n  address: a\n  connection:\n    # by way of the office\n    type: agent # for now\n"
                '    sealingKey: "ab12"\n    user: root\n'
            ),
        ),
        (
            "spec:\n  vars:\n    a: 1\n\n  address: a\n",
            'spec:\n  connection: {type: agent, sealingKey: "ab12"}\n  vars:\n    a: 1\n\n  address: a\n',
        ),
        (
            'spec: {address: a, connection: {type: agent, sealingKey: "00ff"}}\n',
            'spec: {address: a, connection: {type: agent, sealingKey: "ab12"}}\n',
        ),
        (
            "spec:\r\n  address: a\r\n",
            'spec:\r\n  address: a\r\n  connection: {type: agent, sealingKey: "ab12"}\r\n',
        ),
        ("spec:\n  address: a", 'spec:\n  address: a\n  connection: {type: agent, sealingKey: "ab12"}'),
    ],
)
def test_an_agent_is_written_into_a_manifest_and_all_else_stays(before: str, after: str) -> None:
    assert with_connection(HEAD + before, "web-1", AGENT) == HEAD + after


def test_only_the_named_host_of_a_file_with_several_is_edited() -> None:
    other = HEAD.replace("web-1", "web-2") + "spec: {address: b}\n---\n"
    text = other + HEAD + "spec: {address: a}\n---\n# nothing here\n"
    edited = with_connection(text, "web-1", AGENT)
    assert edited == other + HEAD + (
        'spec: {address: a, connection: {type: agent, sealingKey: "ab12"}}\n---\n# nothing here\n'
    )


def test_writing_the_same_again_changes_nothing() -> None:
    text = HEAD + 'spec: {address: a, connection: {type: agent, sealingKey: "ab12"}}\n'
    assert with_connection(text, "web-1", AGENT) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            'spec: {address: a, connection: {type: agent, sealingKey: "ab12"}}\n',
            "spec: {address: a, connection: {type: ssh}}\n",
        ),
        (
            "spec: {address: a, connection: {sealingKey: ab12, type: agent, user: root}}\n",
            "spec: {address: a, connection: {type: ssh, user: root}}\n",
        ),
        (
            "spec:\n  address: a\n  connection:\n    type: agent\n    sealingKey: ab12 # made in May\n    user: root\n",
            "spec:\n  address: a\n  connection:\n    type: ssh\n    user: root\n",
        ),
    ],
)
def test_an_agent_is_taken_out_again(before: str, after: str) -> None:
    assert with_connection(HEAD + before, "web-1", SSH) == HEAD + after


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "spec: {address: a, vars: {x: &shared {user: root}}, connection: *shared}\n",
        HEAD + "spec: {address: a, connection: null}\n",
        HEAD.replace("web-1", "web-2") + "spec: {address: a}\n",
        "kind: Host\nmetadata: [\n",
    ],
)
def test_what_is_not_plain_enough_is_left_to_a_person(text: str) -> None:
    assert with_connection(text, "web-1", AGENT) is None
