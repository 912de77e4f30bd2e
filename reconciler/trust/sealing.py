"""Sealing secrets to one host: libsodium's sealed box, X25519 with an ephemeral key. Controllers seal, agents open.

A sealed box says nothing of its author: what was sealed counts only where a signed statement names its hash.
"""

from __future__ import annotations

from reconciler.errors import Refused


def sealing_public(private: bytes) -> bytes:
    """The public half, which others seal to."""
    from nacl.public import PrivateKey  # noqa: PLC0415 - 50 ms, so only a use does

    return bytes(PrivateKey(private).public_key)


def seal(public: bytes, clear: bytes) -> bytes:
    """Seal for the holder of a key; every call gives other bytes."""
    from nacl.public import PublicKey, SealedBox  # noqa: PLC0415 - as above

    return SealedBox(PublicKey(public)).encrypt(clear)


def unseal(private: bytes, sealed: bytes) -> bytes:
    """What was sealed.

    Raises:
        Refused: it was sealed to another key, or is damaged.
    """
    from nacl.exceptions import CryptoError  # noqa: PLC0415 - as above
    from nacl.public import PrivateKey, SealedBox  # noqa: PLC0415

    try:
        return SealedBox(PrivateKey(private)).decrypt(sealed)
    except (CryptoError, ValueError):
        message = "the secrets are sealed to another key than this host's"
        hint = "Does connection.sealingKey say what this prints here: reconcile agent --public-key"
        raise Refused.of("sealed-otherwise", message, hint=hint) from None
