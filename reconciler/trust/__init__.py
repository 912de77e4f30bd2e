"""Pure: who may say what to a host (signatures by PyNaCl), and keeping secret values out of what people see.

The controller signs, executors verify; the source room keeps the key's file. No cryptography of our own: Ed25519 is
libsodium's, BLAKE2b and SHA-256 are the standard library's.
"""

from reconciler.trust.ed25519 import Purpose, Signed, key_id, new_seed
from reconciler.trust.fingerprints import secrets_fingerprint
from reconciler.trust.key_list import Permission, TrustedKey, TrustedKeys, verify_keys, version_of
from reconciler.trust.masking import Masker
from reconciler.trust.runs import verify_run
from reconciler.trust.sealing import seal, sealing_public, unseal
from reconciler.trust.signer import Signer
from reconciler.trust.statements import author_of, verify

__all__ = [
    "Masker",
    "Permission",
    "Purpose",
    "Signed",
    "Signer",
    "TrustedKey",
    "TrustedKeys",
    "author_of",
    "key_id",
    "new_seed",
    "seal",
    "sealing_public",
    "secrets_fingerprint",
    "unseal",
    "verify",
    "verify_keys",
    "verify_run",
    "version_of",
]
