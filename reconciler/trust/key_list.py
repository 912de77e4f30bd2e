"""The keys that a host trusts, and what each may do. A host changes its list only by one that a listed key signed.

Executors verify statements against it; enrolment and `hosts enroll` write it. Reading and writing files is not here.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.errors import Refused
from reconciler.model.canonical import canonical
from reconciler.resources.values import dataclass
from reconciler.trust.ed25519 import PUBLIC_BYTES, Purpose, Signed, is_signed, key_id
from reconciler.trust.exact_json import (
    NotExact,
    exact_map,
    is_count,
    is_hexadecimal,
    is_list_of,
    is_text,
    parse_exact,
)


class Permission(enum.Enum):
    """What a key may sign: desired state, or single runs."""

    CONVERGE = "converge"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key (32 bytes) and what it may do."""

    public: bytes
    may: frozenset[Permission]

    @property
    def id(self) -> str:
        return key_id(self.public)


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """A list of keys by id. A list replaces another only with a higher version."""

    version: int
    keys: Mapping[str, TrustedKey]

    @classmethod
    def of(cls, version: int, keys: Iterable[TrustedKey]) -> TrustedKeys:
        """A list of these keys."""
        return cls(version, {key.id: key for key in sorted(keys, key=lambda key: key.id)})

    def with_key(self, key: TrustedKey, *, instead_of: str = "") -> TrustedKeys:
        """The next list, with this key, which may what is said now, and without the other one."""
        others = [it for it in self.keys.values() if it.id not in {key.id, instead_of}]
        return TrustedKeys.of(self.version + 1, [*others, key])

    def without(self, key: str) -> TrustedKeys:
        """The next list, without the key of this id."""
        return TrustedKeys.of(self.version + 1, [it for it in self.keys.values() if it.id != key])

    def may(self, key: str, permission: Permission) -> bool:
        """Whether the key with this id is listed with that permission."""
        return key in self.keys and permission in self.keys[key].may

    def to_json(self) -> dict[str, Any]:
        """{"version", "keys": [{"public" (hexadecimal), "may": [...]}...]}, sorted by key id."""
        keys = [
            {"public": key.public.hex(), "may": sorted(permission.value for permission in key.may)}
            for _, key in sorted(self.keys.items())
        ]
        return {"version": self.version, "keys": keys}

    @classmethod
    def from_json(cls, value: Any) -> TrustedKeys:
        """The inverse of to_json.

        Raises:
            Refused: it is not such a list.
        """
        try:
            return _from_exact(exact_map(value, _LIST_FIELDS))
        except NotExact as error:
            raise _malformed(error) from None


_LIST_FIELDS = {"version": is_count, "keys": is_list_of(lambda value: isinstance(value, dict))}
_KEY_FIELDS = {"public": is_hexadecimal(2 * PUBLIC_BYTES), "may": is_list_of(is_text)}
_UPDATE_FIELDS = {**_LIST_FIELDS, "fleet": is_text, "keyId": is_text}


def keys_body(keys: TrustedKeys, fleet: str, signer: str) -> bytes:
    """What is signed of a list: the list, the fleet that it is for, and the id of the signing key."""
    return canonical({**keys.to_json(), "fleet": fleet, "keyId": signer})


def verify_keys(old: TrustedKeys, signed: Signed, *, fleet: str) -> TrustedKeys:
    """The new list of keys.

    Raises:
        Refused: no listed key signed it, it is for another fleet, is empty, or its version does not rise; the code is
            malformed-keys, unknown-key, bad-signature, wrong-fleet or replayed.
    """
    try:
        fields = parse_exact(signed.body, _UPDATE_FIELDS)
        new = _from_exact(fields)
    except NotExact as error:
        raise _malformed(error) from None
    signer = old.keys.get(fields["keyId"])
    if signer is None:
        raise Refused.of("unknown-key", f"the key list is signed with {fields['keyId']}, which is not trusted here")
    if not is_signed(signer.public, Purpose.KEYS, signed.body, signed.signature):
        raise Refused.of("bad-signature", f"the key list is not what {signer.id} signed")
    if fields["fleet"] != fleet:
        raise Refused.of("wrong-fleet", f"the key list is for fleet {fields['fleet']}, this is {fleet}")
    if new.version <= old.version:
        raise Refused.of("replayed", f"the key list has version {new.version}, known is {old.version}")
    return new


def version_of(signed: Signed) -> int:
    """The version that a signed list says it has; nothing is verified.

    Raises:
        Refused: it is no such list.
    """
    try:
        return int(parse_exact(signed.body, _UPDATE_FIELDS)["version"])
    except NotExact as error:
        raise _malformed(error) from None


def _from_exact(fields: Mapping[str, Any]) -> TrustedKeys:
    keys = [_key(exact_map(item, _KEY_FIELDS)) for item in fields["keys"]]
    ids = [key.id for key in keys]
    if not ids:
        raise NotExact("holds no key")
    if ids != sorted(set(ids)):
        raise NotExact("must name each key once, sorted by id")
    return TrustedKeys.of(fields["version"], keys)


def _key(fields: Mapping[str, Any]) -> TrustedKey:
    try:
        may = frozenset(Permission(name) for name in fields["may"])
    except ValueError:
        raise NotExact("grants a permission that is not known here") from None
    if sorted(permission.value for permission in may) != fields["may"]:
        raise NotExact("must name each permission once, sorted")
    return TrustedKey(bytes.fromhex(fields["public"]), may)


def _malformed(error: NotExact) -> Refused:
    return Refused.of("malformed-keys", f"the key list {error}")
