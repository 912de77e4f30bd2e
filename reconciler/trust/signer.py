"""A private key at work: the controller's loop signs statements and key lists with it. Keeping its file is not here."""

from __future__ import annotations

import hashlib
from functools import cached_property

from reconciler.model.desired import SignedStatement, Statement
from reconciler.model.run import Run, SignedRun
from reconciler.resources.values import replace
from reconciler.trust import ed25519
from reconciler.trust.ed25519 import Purpose, Signed
from reconciler.trust.fingerprints import derive_key
from reconciler.trust.key_list import TrustedKeys, keys_body
from reconciler.trust.runs import RUN
from reconciler.trust.statements import STATEMENT


class Signer:
    """Signs. Its repr shows the key's id only."""

    def __init__(self, seed: bytes) -> None:
        """Take a seed of 32 bytes (ValueError otherwise)."""
        if len(seed) != ed25519.SEED_BYTES:
            raise ValueError(f"a seed has {ed25519.SEED_BYTES} bytes")
        self._seed = seed

    @cached_property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return ed25519.public_key(self._seed)

    @cached_property
    def key_id(self) -> str:
        """The public key's id."""
        return ed25519.key_id(self.public)

    def fingerprint_key(self) -> bytes:
        """The key for `secrets_fingerprint`."""
        return derive_key(self._seed)

    def sign(self, statement: Statement) -> SignedStatement:
        """Sign a statement that names this key (ValueError otherwise)."""
        if statement.key_id != self.key_id:
            raise ValueError(f"the statement names key {statement.key_id}, this is {self.key_id}")
        body = STATEMENT.body(statement)
        return SignedStatement(body, ed25519.sign(self._seed, STATEMENT.purpose, body))

    def sign_run(self, run: Run, sealed: bytes = b"") -> SignedRun:
        """Sign a run that names this key (ValueError otherwise), with the secrets that were sealed for it."""
        if run.key_id != self.key_id:
            raise ValueError(f"the run names key {run.key_id}, this is {self.key_id}")
        body = RUN.body(replace(run, sealed=hashlib.sha256(sealed).hexdigest() if sealed else ""))
        return SignedRun(body, ed25519.sign(self._seed, RUN.purpose, body), sealed)

    def sign_keys(self, keys: TrustedKeys, *, fleet: str) -> Signed:
        """Sign a new list of keys for a fleet's hosts."""
        body = keys_body(keys, fleet, self.key_id)
        return Signed(body, ed25519.sign(self._seed, Purpose.KEYS, body))

    def __repr__(self) -> str:
        return f"Signer({self.key_id})"
