"""The fleet's lists of trusted keys on the ops server, `keys/trusted.json`: the first, and each signed one after it.

Called by wiring. Hosts that were away take the lists one after the other, so all of them are kept; a list is some
hundred bytes. Where the file is missing the controller's own key is the only one.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.errors import InvalidInput, Refused
from reconciler.resources.values import dataclass
from reconciler.trust import Permission, Signed, TrustedKey, TrustedKeys, verify_keys


@dataclass(frozen=True, slots=True)
class KeyLists:
    """What was ever in force."""

    first: TrustedKeys
    """What hosts trusted that were enrolled before any change."""
    signed: tuple[Signed, ...]
    current: TrustedKeys

    def after(self, signed: Signed, fleet: str) -> KeyLists:
        """With one more list; raises Refused where it would be refused by hosts."""
        new = verify_keys(self.current, signed, fleet=fleet)
        return KeyLists(self.first, (*self.signed, signed), new)


def load_key_lists(state_dir: Path, own: bytes) -> KeyLists:
    """The lists; without a file one with the key `own` (public) alone.

    Raises:
        InvalidInput: the file cannot be read, or holds something else.
    """
    path = _path(state_dir)
    try:
        text = path.read_text()
    except FileNotFoundError:
        only = TrustedKeys.of(1, [TrustedKey(own, frozenset(Permission))])
        return KeyLists(only, (), only)
    except (OSError, ValueError) as error:
        raise _wrong(path, str(error)) from None
    try:
        document = json.loads(text)
        signed = [Signed(item["body"].encode(), bytes.fromhex(item["signature"])) for item in document["lists"]]
        lists = KeyLists(TrustedKeys.from_json(document["first"]), (), TrustedKeys.from_json(document["first"]))
        for item in signed:
            lists = lists.after(item, document["fleet"])
    except (ValueError, LookupError, TypeError, AttributeError, Refused) as error:
        raise _wrong(path, str(error)) from None
    return lists


def save_key_lists(state_dir: Path, lists: KeyLists, fleet: str) -> None:
    """Keep them, whole or not at all."""
    path = _path(state_dir)
    new = path.with_suffix(".new")
    document = {"fleet": fleet, "first": lists.first.to_json(), "lists": _items(lists.signed)}
    with new.open("w") as file:
        file.write(json.dumps(document, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def put_aside(state_dir: Path) -> None:
    """The lists no longer count here, since the key that signed them is lost; nothing where there are none."""
    with contextlib.suppress(FileNotFoundError):
        _path(state_dir).rename(_path(state_dir).with_suffix(".lost"))


def _items(signed: Sequence[Signed]) -> list[dict[str, str]]:
    return [{"body": item.body.decode(), "signature": item.signature.hex()} for item in signed]


def _path(state_dir: Path) -> Path:
    return state_dir / "keys" / "trusted.json"


def _wrong(path: Path, why: str) -> InvalidInput:
    return InvalidInput.of("malformed-keys", f"{path}: {why}", hint="Restore it from a backup of the state directory.")
