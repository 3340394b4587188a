"""Continuations of running sequences, computed on forks, in the inference thread over a fake model."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ModelError
from core.model.worker.sequence import PickToken
from tests.core.model.worker.support_fake_model import InferenceHarness, error, finished, greets


class WholeValues:
    """A constraint that asks for the logits after each of its values, and writes the one that the model likes best."""

    def __init__(self, *values: bytes) -> None:
        self.values = values
        self.complete = False
        self.seen: list[list[NDArray[np.float32]]] | None = None

    @property
    def continuations(self) -> list[list[int]]:
        return [list(value) for value in self.values]

    def choose(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> list[int]:
        return []

    def settle(self, pick: PickToken, budget: int, logits: list[list[NDArray[np.float32]]] | None) -> list[int]:
        self.complete = True
        self.seen = logits
        if logits is None:
            return list(b"none")
        likely = [
            sum(rows[i][value[i + 1]] for i in range(len(value) - 1))
            for value, rows in zip(self.values, logits, strict=True)
        ]
        return list(self.values[int(np.argmax(likely))])


class Broken(WholeValues):
    def settle(self, pick: PickToken, budget: int, logits: list[list[NDArray[np.float32]]] | None) -> list[int]:
        raise ModelError("the constraint failed while writing: reason")


def test_the_value_that_the_model_would_write_is_chosen() -> None:
    """Its logits come from forks, which leave no cells."""
    with InferenceHarness(lambda _: "blue sky") as harness:
        sequence = harness.ask("colour", constraint=WholeValues(b"blue", b"blow", b"bleu"))
        end = finished(harness, sequence)

        assert (end.reason, harness.text(sequence)) == ("stop", "blue")
        harness.assert_nothing_left()


def test_others_go_on_as_if_nothing_happened() -> None:
    """Their logits of the same step are used before the continuations overwrite them."""
    with InferenceHarness(greets) as harness:
        with harness.held():
            others = [harness.ask(f"I am {name}") for name in ("Bo", "Al")]
            choosing = [harness.ask("I am Zoé", constraint=WholeValues(b"Bonjour", b"Bonsoir")) for _ in range(2)]
        for sequence in [*others, *choosing]:
            finished(harness, sequence)

        assert [harness.text(sequence) for sequence in others] == [greets("Bo"), greets("Al")]
        assert [harness.text(sequence) for sequence in choosing] == ["Bonjour", "Bonjour"]
        harness.assert_nothing_left()


def test_more_values_than_slots_take_several_batches() -> None:
    values = [b"value %d" % number for number in range(30)]
    with InferenceHarness(lambda _: "value 17", ids=6) as harness:
        sequence = harness.ask("which", constraint=WholeValues(*values))
        finished(harness, sequence)

        assert harness.text(sequence) == "value 17"
        harness.assert_nothing_left()


def test_idle_conversations_make_room() -> None:
    """Their slots are used once no other is free."""
    with InferenceHarness(greets, ids=3) as harness:
        for name in ("Al", "Bo", "Cy"):
            finished(harness, harness.ask("x" * 40 + f" I am {name}"))
        sequence = harness.ask("I am Zoé", constraint=WholeValues(b"Bonjour", b"Bonsoir"))
        finished(harness, sequence)

        assert harness.text(sequence) == "Bonjour"


@pytest.mark.parametrize("cells", [12, 14])
def test_without_room_the_constraint_chooses_alone(cells: int) -> None:
    """No other answer is given up for it."""
    with InferenceHarness(greets, cells=cells, ids=4) as harness:
        constraint = WholeValues(b"Bonjour Zoe", b"Bonsoir Zoe")
        sequence = harness.ask("I am Zoe", constraint=constraint)
        finished(harness, sequence)

        assert constraint.seen is None
        assert harness.text(sequence)[:3] == "non"


def test_a_model_without_shared_prefixes_chooses_alone() -> None:
    """A recurrent state cannot be forked."""
    with InferenceHarness(greets) as harness:
        harness.cache._share = False
        constraint = WholeValues(b"Bonjour", b"Bonsoir")
        finished(harness, harness.ask("I am Zoé", constraint=constraint))

        assert constraint.seen is None


def test_a_failing_choice_fails_only_its_request() -> None:
    with InferenceHarness(greets) as harness:
        other = harness.ask("I am Bo")
        broken = harness.ask("json", constraint=Broken(b"Bo", b"Ba"))

        assert isinstance(error(harness, broken), ModelError)
        finished(harness, other)
        harness.assert_nothing_left()
