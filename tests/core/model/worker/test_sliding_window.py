"""Sequences stay whole in the KV cache of a model with sliding-window attention."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.model.worker.llama.runner import BatchRow, LlamaRunner, Tokens
from core.model.worker.llama.sliding_window import pack, unpack
from tests.core.model.worker.support_loaded_model import load_tiny
from tests.support.tiny_model import WINDOW

LONG = 8 * WINDOW
A, B, C = 3, 5, 6


@pytest.fixture
def runner(tiny_file: Path) -> Iterator[LlamaRunner]:
    runner = load_tiny(tiny_file, cache_tokens=1024, window=256)
    yield runner
    runner.close()


def prompt(seed: int, length: int = LONG) -> Tokens:
    return np.random.default_rng(seed).integers(262, 350, length).astype(np.int32)


def compute(runner: LlamaRunner, sequence: int, start: int, tokens: Tokens) -> Tokens:
    """Computes the tokens in batches; returns the logits after the last one."""
    index = 0
    for begin in range(0, len(tokens), 32):
        part = tokens[begin : begin + 32]
        index = runner.decode([BatchRow(sequence, start + begin, part, True)])[0]
    return runner.logits(index).copy()  # type: ignore[return-value]


def fresh(runner: LlamaRunner, tokens: Tokens) -> Tokens:
    runner.clear()
    return compute(runner, B, 0, tokens)


@pytest.mark.parametrize("length", [1, WINDOW - 1, WINDOW, WINDOW + 1, LONG // 2, LONG - 1])
def test_a_prefix_of_any_length_can_be_shared(runner: LlamaRunner, length: int) -> None:
    """The tokens that the window has passed are still there for another sequence."""
    question = prompt(2, 8)
    expected = fresh(runner, np.concatenate([prompt(1)[:length], question]))
    runner.clear()
    compute(runner, A, 0, prompt(1))
    runner.fork(A, C, length)

    np.testing.assert_allclose(compute(runner, C, length, question), expected, atol=0.02)


def test_new_tokens_never_overwrite_a_sequence(runner: LlamaRunner) -> None:
    """llama.cpp writes over cells that the window has passed, also while others are free. (It did.)"""
    question = prompt(2, 8)
    expected = fresh(runner, np.concatenate([prompt(1)[:40], question]))
    runner.clear()
    compute(runner, B, 0, prompt(3, 32))
    compute(runner, A, 0, prompt(1))
    runner.drop(B)
    compute(runner, B, 0, prompt(4))  # the search for free cells begins before A's

    assert runner.can_share(A, 40)
    runner.fork(A, C, 40)
    np.testing.assert_allclose(compute(runner, C, 40, question), expected, atol=0.02)


@pytest.mark.parametrize("length", [1, WINDOW, LONG // 2, LONG])
def test_a_restored_sequence_can_be_cut_anywhere(runner: LlamaRunner, length: int) -> None:
    """Its state holds what the window has passed. (It held the last window alone; a cut one answered nonsense.)"""
    question = prompt(2, 8)
    expected = fresh(runner, np.concatenate([prompt(1)[:length], question]))
    runner.clear()
    compute(runner, A, 0, prompt(1))
    state = runner.save(A)
    runner.clear()

    assert runner.restore(C, (state,))
    runner.drop(C, length)
    np.testing.assert_allclose(compute(runner, C, length, question), expected, atol=0.02)


def test_states_of_parts_make_a_whole_sequence(runner: LlamaRunner) -> None:
    """A conversation on disk grows by a part after each turn."""
    question = prompt(2, 8)
    expected = fresh(runner, np.concatenate([prompt(1), question]))
    runner.clear()
    compute(runner, A, 0, prompt(1))
    states = (runner.save(A, 0, 70), runner.save(A, 70, 75), runner.save(A, 75, LONG))
    runner.clear()

    assert runner.restore(A, states)
    np.testing.assert_allclose(compute(runner, A, LONG, question), expected, atol=0.02)


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 100])
def test_a_cut_state_is_refused(runner: LlamaRunner, cut: int) -> None:
    """The sequence is then empty, and can be computed."""
    compute(runner, A, 0, prompt(1))
    state = runner.save(A)
    expected = fresh(runner, prompt(1))
    runner.clear()

    assert not runner.restore(A, (state[:-cut],))
    np.testing.assert_allclose(compute(runner, A, 0, prompt(1)), expected, atol=0.02)


def test_packed_states_are_unpacked() -> None:
    """Empty ones too."""
    states = [np.arange(count, dtype=np.uint8) for count in (3, 0, 200)]

    assert [state.tolist() for state in states] == [state.tolist() for state in unpack(pack(states))]
