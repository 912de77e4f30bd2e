"""URLs of channels are checked where they stand."""

from __future__ import annotations

import pytest

from reconciler.manifests.documents import parse


def problems(*urls: str) -> list[str]:
    listed = "".join(f"    - {url}\n" for url in urls)
    text = f'apiVersion: reconciler/v1\nkind: Channel\nmetadata: {{name: x}}\nspec:\n  match: "*"\n  urls:\n{listed}'
    return [str(problem) for problem in parse("manifests/x.yaml", text.encode()).problems]


def test_urls_that_can_be_used_pass() -> None:
    assert problems('"log:"', "{secret: alerts/any}", "json://127.0.0.1:8099/alerts", "wecombot://abcdef123456") == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("wecombt://abcdef", '8:7: no service is called "wecombt". Did you mean wecombot?'),
        (
            "twilio://nonsense",
            "8:7: this is no URL of twilio: a part is missing or malformed. See https://appriseit.com/services/twilio/",
        ),
        ("eva@example.org", "8:7: it is no URL. Such as mailtos://USER:PASSWORD@HOST?to=ADDRESS"),
        (
            "mailto://u:p@example.org?to=a@example.org,b@example.org",
            (
                "8:7: the URL names 2 recipients; a message that one of them did not get would go to all again."
                " Write a URL for each of them"
            ),
        ),
    ],
)
def test_a_url_that_cannot_be_used_is_an_error_at_its_place(url: str, told: str) -> None:
    assert problems('"log:"', url) == [f"manifests/x.yaml:{told}"]


def test_an_error_shows_no_key() -> None:
    (told,) = problems("slack://aVeryPrivateKey")
    assert "aVeryPrivateKey" not in told
