"""What is signed for one host, as exact bytes: statements and runs have a form each, and are read in the same way.

Called by `statements`, `runs` and the signer. A form says under which names the fields of a value are signed, what each
has to look like, and which permission its author needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from reconciler.errors import Place, Refused
from reconciler.model.canonical import canonical
from reconciler.resources.values import dataclass
from reconciler.trust.ed25519 import Purpose, is_signed
from reconciler.trust.exact_json import Check, NotExact, parse_exact
from reconciler.trust.key_list import Permission, TrustedKeys


class OfOneHost(Protocol):
    """What all that is signed for a host says of itself."""

    @property
    def fleet(self) -> str: ...

    @property
    def host(self) -> str: ...

    @property
    def key_id(self) -> str: ...


T = TypeVar("T", bound=OfOneHost)


@dataclass(frozen=True, slots=True)
class SignedForm(Generic[T]):
    """How values of one type are signed.

    Args:
        make: the type.
        fields: name in the signed bytes -> the value's attribute, and what it has to look like.
        purpose: of the signature.
        permission: what its author needs.
        name: what people call it.
        act: what they call signing it.
        code: of the error for bytes that signing would not write.
    """

    make: type[T]
    fields: Mapping[str, tuple[str, Check]]
    purpose: Purpose
    permission: Permission
    name: str
    act: str
    code: str

    def body(self, value: T) -> bytes:
        """What is signed of a value: all of it."""
        return canonical({name: getattr(value, attribute) for name, (attribute, _) in self.fields.items()})

    def parse(self, body: bytes, place: Place) -> T:
        """The value that a body holds; nothing is verified.

        Raises:
            Refused: with the form's code.
        """
        try:
            found = parse_exact(body, {name: check for name, (_, check) in self.fields.items()})
        except NotExact as error:
            raise Refused.of(self.code, f"the {self.name} {error}", place=place) from None
        values: dict[str, Any] = {self.fields[name][0]: value for name, value in found.items()}
        return self.make(**values)

    def said(self, body: bytes, signature: bytes, trusted: TrustedKeys, *, fleet: str, host: str) -> T:
        """The value, if a trusted key that may do so said exactly this, of this host of this fleet.

        Raises:
            Refused: with the form's code, or unknown-key, bad-signature, not-allowed, wrong-fleet or wrong-host.
        """
        place = Place(host=host)
        value = self.parse(body, place)
        key = trusted.keys.get(value.key_id)
        if key is None:
            message = f"the {self.name} is signed with {value.key_id}, which is not trusted here"
            raise Refused.of("unknown-key", message, place=place, hint="Was the key replaced? Look: reconcile doctor")
        if not is_signed(key.public, self.purpose, body, signature):
            raise Refused.of("bad-signature", f"the {self.name} is not what {value.key_id} signed", place=place)
        if not trusted.may(value.key_id, self.permission):
            raise Refused.of("not-allowed", f"{value.key_id} may not {self.act}", place=place)
        if value.fleet != fleet:
            message = f"the {self.name} is for fleet {value.fleet}, this is {fleet}"
            raise Refused.of("wrong-fleet", message, place=place)
        if value.host != host:
            raise Refused.of("wrong-host", f"the {self.name} is for {value.host}", place=place)
        return value
