"""Messages over a channel, in whatever pieces they arrive."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.resources.channel.framing import MOST_VALUES, BadFrame, Unpacker, pack

MESSAGES = st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=3), max_size=4)


@given(MESSAGES, st.integers(1, 20))
def test_messages_come_out_as_they_went_in_however_they_are_cut(messages: list[dict[str, object]], length: int) -> None:
    sent = b"".join(map(pack, messages))
    unpacker = Unpacker()
    pieces = [sent[at : at + length] for at in range(0, len(sent), length)]
    assert [message for piece in pieces for message in unpacker.feed(piece)] == messages


def test_names_that_are_no_utf_8_survive() -> None:
    name = b"caf\xe9".decode(errors="surrogateescape")
    assert list(Unpacker().feed(pack({"path": name}))) == [{"path": name}]


@pytest.mark.parametrize(
    "noise", [b"Last login: Mon", b"\0\0\0\x02no", b"\0\0\0\x02[]", b"\0\1\0\0" + b"[" * (1 << 16)]
)
def test_noise_is_no_message(noise: bytes) -> None:
    with pytest.raises(BadFrame):
        list(Unpacker().feed(noise))


def test_a_short_text_of_very_many_values_is_no_message() -> None:
    body = b'{"facts":[' + b"{}," * MOST_VALUES + b"1]}"
    with pytest.raises(BadFrame, match="more than 4000000 values"):
        list(Unpacker().feed(struct.pack(">I", len(body)) + body))
