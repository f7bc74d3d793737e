"""MLLP as it comes: cut anywhere, joined, with garbage between, without an end, too long."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.exchange.fuzz import survives_framing

from bedside.exchange.model.framing import Block, Deframer, framed

pytestmark = pytest.mark.unit


def fed(*pieces: bytes, most: int = 100) -> list[Block]:
    stream = Deframer(most)
    return [block for piece in pieces for block in stream.feed(piece)]


def test_two_messages_in_one_read_and_one_in_many() -> None:
    assert fed(framed(b"one") + framed(b"two")) == [Block(b"one"), Block(b"two")]
    assert fed(*(bytes([byte]) for byte in framed(b"one"))) == [Block(b"one")]


def test_garbage_between_blocks_is_counted_and_is_no_message() -> None:
    stream = Deframer()
    assert stream.feed(b"hello\r\n" + framed(b"one") + b"\n\r" + b"zz" + framed(b"two")) == [
        Block(b"one"),
        Block(b"two"),
    ]
    assert stream.garbage == 7


def test_the_end_mark_alone_ends_a_block() -> None:
    assert fed(b"\x0bone\x1c") == [Block(b"one")]
    assert fed(b"\x0bone\x1c\n\x0btwo\x1c\r") == [Block(b"one"), Block(b"two")]


def test_a_block_without_its_end_is_not_whole() -> None:
    first, second = fed(b"\x0bone\r" + framed(b"two"))
    assert (first.message, first.whole) == (b"one\r", False)
    assert second == Block(b"two")
    stream = Deframer()
    assert stream.feed(b"\x0bone") == []
    assert stream.inside
    assert not stream.give_up().whole
    assert not stream.inside
    assert stream.feed(framed(b"two")) == [Block(b"two")]


def test_too_long_a_block_is_not_whole_and_the_next_is() -> None:
    long, after = fed(b"\x0b" + b"x" * 60, b"y" * 60 + b"\x1c\r" + framed(b"two"))
    assert not long.whole
    assert "longer than 100 bytes" in long.why
    assert after == Block(b"two")
    assert fed(framed(b"x" * 100))[0].whole


@given(st.binary(max_size=600), st.randoms(use_true_random=False))
def test_however_it_is_cut(message: bytes, dice: random.Random) -> None:
    survives_framing(dice, message)
