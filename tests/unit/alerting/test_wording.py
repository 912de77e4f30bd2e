"""What people read at night."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.alerting.messages import compose
from reconciler.alerting.pacing import digest
from reconciler.alerting.wording import LONGEST_SHORT, LONGEST_SUBJECT, message, subject_of
from reconciler.model.alerts import AlertState, Told
from reconciler.model.delivery import Style
from reconciler.model.monitoring import Severity
from tests.unit.alerting.notifications import NIGHT, alert, many, notification

NOW = NIGHT + timedelta(minutes=8)
OVER = alert(state=AlertState.RESOLVED, since=NIGHT + timedelta(minutes=5))


def test_one_alert_as_plain_text() -> None:
    told = message(notification(), Style.PLAIN, NOW)
    assert told.subject == "FIRING critical: DiskFull on web-1:/var since 03:12 UTC"
    assert told.body == (
        "FIRING critical: DiskFull on web-1:/var\n"
        "/var is 93 % full\n"
        "- since 03:12 UTC, for 8 min\n"
        "- value: 93.21\n"
        "- labels: team=web\n"
        "- runbook: https://wiki.example.org/disk-full\n"
        "\n"
        "Acknowledge: reconcile alerts ack DiskFull@web-1:/var\n"
        "Silence: reconcile silence add alert=DiskFull,host=web-1 --for 2h --reason TEXT"
    )


def test_one_alert_as_markdown_has_commands_to_copy() -> None:
    body = message(notification(), Style.MARKDOWN, NOW).body
    assert body.startswith("**FIRING critical: DiskFull on web-1:/var**\n")
    assert "Acknowledge: `reconcile alerts ack DiskFull@web-1:/var`" in body


def test_an_sms_is_one_line() -> None:
    told = message(notification(), Style.SHORT, NOW)
    assert told.body == "FIRING critical: DiskFull on web-1:/var since 03:12 UTC. /var is 93 % full"


def test_what_is_over_says_how_long_it_took_and_offers_no_commands() -> None:
    told = message(notification("n1", OVER, told=Told.RESOLVED), Style.PLAIN, NOW)
    assert told.subject == "RESOLVED: DiskFull on web-1:/var after 5 min"
    assert "over since 03:17 UTC, after 5 min" in told.body
    assert "reconcile" not in told.body


@pytest.mark.parametrize(
    ("alerts", "subject"),
    [
        (
            [alert("DiskFull@web-1"), alert("DiskFull@web-2"), alert("DiskFull@web-3")],
            "FIRING critical: DiskFull on web-1, web-2 and 1 more since 03:12 UTC",
        ),
        (
            [alert("Down@web-1", severity=Severity.WARNING), alert("DiskFull@web-1"), OVER],
            "FIRING critical: 2 alerts on web-1 since 03:12 UTC, 1 resolved",
        ),
        ([alert("TooFewHosts", severity=Severity.INFO)], "FIRING info: TooFewHosts since 03:12 UTC"),
    ],
)
def test_a_subject_says_state_what_where_and_since(alerts: list, subject: str) -> None:  # type: ignore[type-arg]
    assert subject_of(notification("n1", *alerts), NOW) == subject


def test_a_subject_of_another_day_names_it() -> None:
    assert subject_of(notification(), NIGHT + timedelta(days=1)).endswith("since 11-23 03:12 UTC")


@pytest.mark.parametrize("style", list(Style))
def test_nothing_is_too_long_however_much_there_is_to_say(style: Style) -> None:
    alerts = [alert(f"{'VeryLongRule' * 5}@{'host' * 60}-{number}") for number in range(300)]
    told = message(notification("n1", *alerts), style, NOW)
    assert len(told.subject) <= LONGEST_SUBJECT
    assert told.subject.endswith("since 03:12 UTC")
    if style is Style.SHORT:
        assert len(told.body) <= LONGEST_SHORT
    else:
        assert "... and 275 more" in told.body


def test_a_digest_counts_the_messages_and_lists_the_latest_states() -> None:
    told = message(digest([*many(40), notification("over", OVER)], NOW), Style.PLAIN, NOW)
    assert told.subject == "DIGEST of 41 messages: 40 firing, 1 resolved"
    assert "- FIRING critical: DiskFull on web-0: /var is 93 % full" in told.body


def composed(template: str) -> tuple[str, str, bool]:
    told, wrong = compose(
        notification(),
        Style.PLAIN,
        template="sms.j2",
        templates={"sms.j2": template, "part.j2": "[{{ fleet }}]"},
        fleet="example",
        now=NOW,
    )
    return told.subject, told.body, wrong is None


def test_a_template_makes_the_text_and_may_make_the_subject() -> None:
    text = "Subject: {{ alerts[0].host }} {{ told }}\n{% include 'part.j2' %} {{ alerts[0].value | round(1) }}"
    assert composed(text) == ("web-1 firing", "[example] 93.2", True)
    assert composed("{{ text.splitlines()[0] }}")[1] == "FIRING critical: DiskFull on web-1:/var"


@pytest.mark.parametrize("text", ["{{ nothing.like.this }}", "{{ 1 / 0 }}", "{% for x in range(10**9) %}{% endfor %}"])
def test_a_template_that_fails_costs_nobody_the_message(text: str) -> None:
    subject, body, well = composed(text)
    assert not well
    assert subject == "FIRING critical: DiskFull on web-1:/var since 03:12 UTC"
    assert body.startswith("FIRING critical: DiskFull on web-1:/var\n")
    assert "(The template templates/sms.j2 of channel night failed: templates/sms.j2:1:" in body


def test_the_page_for_people_names_every_variable_of_a_template() -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/notifications.md").read_text()
    told, _ = composed("{{ [told, subject, text, style, channel, fleet, group, count] | length }}")[1:]
    assert told == "8"
    fields = composed("{{ alerts[0] | list | join(' ') }}")[1].split()
    row = next(line for line in page.splitlines() if line.startswith("| `alerts`"))
    assert sorted(fields) == sorted(row.split("each has `")[1].split("`")[0].split())
    for name in ("told", "subject", "text", "style", "channel", "fleet", "group", "count"):
        assert f"`{name}`" in page
