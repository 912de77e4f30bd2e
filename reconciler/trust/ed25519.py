"""Ed25519 signatures over bytes, each for one purpose. Called by its siblings, which know what the bytes mean.

PyNaCl takes 50 ms to import, so only a use does.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable

from reconciler.resources.values import dataclass

SEED_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64


class Purpose(enum.Enum):
    """What a signature is for. It stands before the signed bytes, so that no signature serves another purpose."""

    STATEMENT = "reconciler statement v1\n"
    KEYS = "reconciler keys v1\n"
    RUN = "reconciler run v1\n"

    def message(self, body: bytes) -> bytes:
        """The bytes that are really signed."""
        return self.value.encode() + body


@dataclass(frozen=True, slots=True)
class Signed:
    """Canonical JSON and its signature; the reader knows the purpose."""

    body: bytes
    signature: bytes


def new_seed(entropy: Callable[[int], bytes]) -> bytes:
    """A private key's seed. `entropy(n)` gives n bytes of chance: `os.urandom` outside tests."""
    return entropy(SEED_BYTES)


def key_id(public: bytes) -> str:
    """The short name of a public key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def public_key(seed: bytes) -> bytes:
    """The public key of a private one."""
    from nacl.signing import SigningKey  # noqa: PLC0415 - see the module's docstring

    return bytes(SigningKey(seed).verify_key)


def sign(seed: bytes, purpose: Purpose, body: bytes) -> bytes:
    """The signature of the body for that purpose; equal input, equal signature."""
    from nacl.signing import SigningKey  # noqa: PLC0415 - see the module's docstring

    return SigningKey(seed).sign(purpose.message(body)).signature


def is_signed(public: bytes, purpose: Purpose, body: bytes, signature: bytes) -> bool:
    """Whether the signature is the public key's, over this body, for this purpose."""
    from nacl.exceptions import CryptoError  # noqa: PLC0415 - see the module's docstring
    from nacl.signing import VerifyKey  # noqa: PLC0415

    if len(signature) != SIGNATURE_BYTES or len(public) != PUBLIC_BYTES:
        return False
    try:
        VerifyKey(public).verify(purpose.message(body), signature)
    except CryptoError:
        return False
    return True
