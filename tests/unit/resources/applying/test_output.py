"""What programs print, on its way: masked whatever the pieces, bounded however much it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.resources.applying.output import Output
from reconciler.resources.machine.system import OUTPUT_BYTES
from tests.fakes.clock import FakeClock


def heard(pieces: list[bytes], *secrets: str) -> str:
    told: list[str] = []
    output = Output(told.append, FakeClock(), secrets)
    for piece in pieces:
        output.hear(piece)
    output.close()
    return "".join(told)


@given(st.lists(st.integers(1, 40), max_size=6))
def test_a_secret_is_never_told_wherever_the_pieces_part_it(cuts: list[int]) -> None:
    said = b"password is correct horse, I say correct horse\n"
    pieces, rest = [], said
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    assert "correct" not in heard([*pieces, rest], "correct horse")


def test_the_beginning_of_a_secret_that_does_not_go_on_is_told() -> None:
    assert heard([b"cor", b"rect it is"], "correct horse") == "correct it is"


def test_letters_that_arrive_in_halves_are_whole() -> None:
    whole = "Größe".encode()
    assert heard([whole[:3], whole[3:]]) == "Größe"


def test_what_nobody_could_read_in_time_is_left_out_and_counted() -> None:
    clock = FakeClock()
    told: list[str] = []
    output = Output(told.append, clock, ())
    output.hear(b"first\n")
    for _ in range(100):
        output.hear(b"x" * OUTPUT_BYTES)
    output.close()
    assert told[0] == "first\n"
    assert len(told) == 2
    assert told[1].startswith(f"[... {99 * OUTPUT_BYTES} characters left out ...]\n")
    assert len(told[1]) < OUTPUT_BYTES + 100


def test_text_is_told_twice_a_second_at_most() -> None:
    clock = FakeClock()
    told: list[str] = []
    output = Output(told.append, clock, ())
    for number in range(10):
        output.hear(b"%d" % number)
        clock.sleep(0.125)
    output.close()
    assert told == ["0", "1234", "5678", "9"]
