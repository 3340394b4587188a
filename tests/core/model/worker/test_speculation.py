"""The choice of drafts by their expected saving and their measured cost."""

from __future__ import annotations

import numpy as np
import pytest

from core.contract import Sampling
from core.model.worker.sequence import Sequence
from core.model.worker.speculation import DOUBTED_AFTER_STEPS, DRAFT_TOKENS, Speculation

TEXT = list(range(100, 200))
STEP_S = 0.01
ROOM = 1000


def sequence(copied: int, budget: int = 200) -> Sequence:
    """An answer that has copied this many tokens of its prompt."""
    result = Sequence(np.asarray([*TEXT, 1], np.int32), copied + budget, Sampling(), lambda _: None)
    result.generated = TEXT[:copied]
    return result


def speculation(sequences: int = 1) -> Speculation:
    """Has measured steps without drafts."""
    result = Speculation()
    result.measure([0] * sequences, STEP_S)
    return result


def length(chosen: Speculation, copied: int, room: int = ROOM) -> int:
    """Returns the length of the draft of a single sequence."""
    one = sequence(copied)
    chosen.draft([one], room)
    assert one.draft == TEXT[copied : copied + len(one.draft)]
    return len(one.draft)


def teach(chosen: Speculation, share: float, sequences: int = 1) -> None:
    """Measures drafts of every length, of which each token costs this share of a step."""
    for tokens in DRAFT_TOKENS:
        for _ in range(30):
            chosen.measure([tokens, *[0] * (sequences - 1)], STEP_S * (1 + share * tokens))


def test_nothing_is_drafted_before_a_step_was_measured() -> None:
    """The time of a token is not known."""
    assert length(Speculation(), copied=50) == 0


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.01, {0: 0, 1: 0, 2: 15, 40: 15}),  # bound by memory: a row more is nearly free
        (0.3, {2: 3, 4: 7, 40: 15}),
        (0.6, {4: 0, 40: 7}),  # a processor that computes eight rows in five times the time of one
        (1.0, {4: 0, 40: 0}),
    ],
)
def test_the_longer_a_copy_is_and_the_cheaper_rows_are_the_more_is_drafted(
    share: float, expected: dict[int, int]
) -> None:
    """Text that has been copied for long will probably go on."""
    chosen = speculation()
    teach(chosen, share)

    assert {copied: length(chosen, copied) for copied in expected} == expected


def test_an_unmeasured_cost_is_tried_only_for_long_copies() -> None:
    """The first try costs little, and shows the cost."""
    assert length(speculation(), copied=2) == 0
    assert length(speculation(), copied=40) == 15


def test_a_cost_that_was_high_once_is_tried_again_later() -> None:
    """The machine was busy, or the conversations are shorter now."""
    chosen = speculation()
    teach(chosen, 1.0)
    assert length(chosen, copied=40) == 0
    for _ in range(DOUBTED_AFTER_STEPS):
        chosen.measure([0], STEP_S)

    assert length(chosen, copied=40) == 15


def test_refused_drafts_make_a_sequence_draft_less() -> None:
    """Others are not affected."""
    chosen = speculation()
    teach(chosen, 0.3)
    unlucky = sequence(copied=6)
    drafted = []
    for _ in range(6):
        chosen.draft([unlucky], ROOM)
        drafted.append(len(unlucky.draft))
        if unlucky.draft:
            chosen.count(unlucky, 0)

    assert drafted[0] > drafted[-1]
    assert drafted[-1] == 0
    assert length(chosen, copied=6) > 0


def test_a_draft_leaves_a_token_of_the_budget() -> None:
    """The token after the draft is sampled, too."""
    chosen = speculation()
    teach(chosen, 0.01)
    drafts = {}
    for budget in (1, 3, 4, 7, 8, 16):
        one = sequence(copied=40, budget=budget)
        chosen.draft([one], ROOM)
        drafts[budget] = len(one.draft)

    assert drafts == {1: 0, 3: 0, 4: 3, 7: 3, 8: 7, 16: 15}


def test_drafts_keep_within_the_room() -> None:
    """Batch and KV cache are limited; the first sequences draft first."""
    chosen = speculation(3)
    teach(chosen, 0.01, sequences=3)
    sequences = [sequence(copied=40) for _ in range(3)]
    chosen.draft(sequences, 20)

    assert [len(each.draft) for each in sequences] == [15, 3, 0]
    chosen.draft(sequences, 0)
    assert [len(each.draft) for each in sequences] == [0, 0, 0]


def test_drafts_at_most_double_a_step_for_the_others() -> None:
    """They wait for the same batch."""
    chosen = speculation(16)
    teach(chosen, 0.04, sequences=16)  # a row costs less than a sixteenth of a step
    sequences = [sequence(copied=90) for _ in range(16)]
    chosen.draft(sequences, ROOM)

    assert 0 < sum(len(each.draft) for each in sequences) <= 1 / 0.04


def test_an_ended_sequence_is_forgotten() -> None:
    """Texts of thousands of requests are not kept."""
    chosen = speculation()
    one = sequence(copied=40)
    chosen.draft([one], ROOM)
    chosen.forget(one)
    chosen.forget(one)

    assert not chosen._records
