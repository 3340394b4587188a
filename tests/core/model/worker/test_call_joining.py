"""Replies and prompts share a call where that is faster, and the other way stays known."""

from __future__ import annotations

import pytest

from core.model.worker.call_joining import DOUBTED, DOUBTED_MOST, TRIED_AGAIN, CallJoining


def steps_until(joining: CallJoining, *, joined: bool) -> int:
    """The steps up to the next one of this kind."""
    return next(n for n in range(1, 10_000) if joining.choose() is joined)


def test_one_call_is_tried_first() -> None:
    """It goes on until it was measured."""
    joining = CallJoining()

    assert all(joining.choose() for _ in range(2 * TRIED_AGAIN))


def test_two_calls_are_tried_now_and_then_where_one_is_faster() -> None:
    """The costs of both calls alone would grow old otherwise."""
    joining = CallJoining()
    joining.measure(0.8)

    assert [steps_until(joining, joined=False) for _ in range(3)] == [TRIED_AGAIN] * 3
    assert joining.gain == 0.8


def test_one_call_is_left_where_it_is_slower() -> None:
    """A slow call happens ever more rarely: llama.cpp's own attention may take four times as long."""
    joining = CallJoining()
    waits = []
    for _ in range(9):
        joining.measure(4.0)
        waits.append(steps_until(joining, joined=True))

    assert waits == [min(DOUBTED * 2**n, DOUBTED_MOST) for n in range(9)]


def test_one_call_returns_when_it_became_faster() -> None:
    """One good measurement is enough after a bad one."""
    joining = CallJoining()
    joining.measure(1.5)
    assert not joining.pays
    joining.measure(0.9)

    assert joining.pays
    assert joining.choose()


def test_the_gain_follows_slowly() -> None:
    """One disturbed call does not end what pays."""
    joining = CallJoining()
    joining.measure(0.8)
    joining.measure(2.0)

    assert joining.gain == pytest.approx(0.92)
    assert joining.pays
