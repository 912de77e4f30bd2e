"""Only what a key that may start runs has said, of this host and under this id, is a run."""

from __future__ import annotations

import dataclasses

import pytest

from reconciler.errors import Refused
from reconciler.model.run import Run, SignedRun
from reconciler.trust import Permission, Signer, TrustedKey, TrustedKeys, verify_run

SIGNER, STRANGER = Signer(b"s" * 32), Signer(b"x" * 32)
RUN = Run("f", "web-1", "01J", "backup", "ab" * 32, "{}", 1000, "ann", SIGNER.key_id)


def trusted(*may: Permission) -> TrustedKeys:
    return TrustedKeys.of(1, [TrustedKey(SIGNER.public, frozenset(may))])


def verified(signed: SignedRun, keys: TrustedKeys | None = None, **asked: str) -> Run:
    expected = {"fleet": "f", "host": "web-1", "run_id": "01J", **asked}
    return verify_run(signed, keys or trusted(Permission.RUN), **expected)


def test_a_signed_run_survives_the_way_through_redis() -> None:
    args = SIGNER.sign_run(RUN).to_args("backup")
    assert verified(SignedRun.of_args(args)) == RUN


@pytest.mark.parametrize(
    ("signed", "keys", "asked", "code"),
    [
        (SignedRun(b"", b""), trusted(Permission.RUN), {}, "unsigned"),
        (SIGNER.sign_run(RUN), trusted(Permission.CONVERGE), {}, "not-allowed"),
        (SIGNER.sign_run(RUN), trusted(Permission.RUN), {"host": "web-2"}, "wrong-host"),
        (SIGNER.sign_run(RUN), trusted(Permission.RUN), {"fleet": "other"}, "wrong-fleet"),
        (SIGNER.sign_run(RUN), trusted(Permission.RUN), {"run_id": "02J"}, "replayed"),
        (
            STRANGER.sign_run(dataclasses.replace(RUN, key_id=STRANGER.key_id)),
            trusted(Permission.RUN),
            {},
            "unknown-key",
        ),
        (
            dataclasses.replace(
                SIGNER.sign_run(RUN),
                signature=STRANGER.sign_run(dataclasses.replace(RUN, key_id=STRANGER.key_id)).signature,
            ),
            trusted(Permission.RUN),
            {},
            "bad-signature",
        ),
        (SignedRun(b'{"fleet":"f"}', b"s" * 64), trusted(Permission.RUN), {}, "malformed-run"),
    ],
)
def test_everything_else_is_refused(signed: SignedRun, keys: TrustedKeys, asked: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        verified(signed, keys, **asked)
    assert refused.value.problems[0].code == code


@pytest.mark.parametrize("args", [{}, {"run": 1, "signature": "zz"}, {"run": "{}", "signature": None}])
def test_nonsense_in_redis_is_a_run_that_nobody_signed(args: dict[str, object]) -> None:
    with pytest.raises(Refused):
        verified(SignedRun.of_args(args))
