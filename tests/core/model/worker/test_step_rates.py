"""Costs learnt from measured calls, and the prefill of a step because of them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from core.contract import Sampling
from core.model.worker.linear_cost import LinearCost
from core.model.worker.scheduler import ScheduledTokens
from core.model.worker.sequence import Sequence
from core.model.worker.step_rates import (
    BACKLOG_FACTOR,
    IDLE_STEP_S,
    MIN_IDLE_TOKENS,
    MIN_JOINED_TOKENS,
    MIN_PREFILL_TOKENS,
    PREFILL_SHARE,
    SHORT_STEP_S,
    StepRates,
    load_of,
)


def prompt(tokens: int, computed: int = 0) -> Sequence:
    made = Sequence(np.zeros(tokens, np.int32), 100, Sampling(), lambda _: None)
    made.computed = computed
    return made


def decoding(count: int, depth: int = 300) -> list[ScheduledTokens]:
    return [ScheduledTokens(prompt(depth + 1, depth), 1) for _ in range(count)]


def measured(call_s: float, token_s: float, deep_s: float = 1e-7) -> StepRates:
    """Rates after calls of 2 to 64 tokens at depths up to 2,000."""
    rates = StepRates()
    for n in range(300):
        load = (1.0, 2.0 ** (n % 6 + 1), 2.0 ** (n % 6 + 1) * (n * 37 % 2000))
        took_s = call_s * load[0] + token_s * load[1] + deep_s * load[2]
        rates.measure(load, took_s, decodes=False)
        rates.measure(load, took_s, decodes=True)
    return rates


def test_a_cost_is_learnt_from_noisy_calls() -> None:
    """Estimates are as exact as the noise of 10 % allows, also where the features rarely vary apart."""
    chance = random.Random(1)
    cost = LinearCost((0.5, 0.5, 0.5))
    errors = []
    for n in range(300):
        features = (1.0, float(chance.choice((16, 16, 16, 32, 64))), float(n * 16 % 1500))
        true = 0.014 + 0.0027 * features[1] + 3e-5 * features[2]
        if n >= 20:
            errors.append(abs(cost.estimate_s(features) / true - 1))
        cost.measure(features, true * chance.lognormvariate(0, 0.1))

    assert sorted(errors)[len(errors) // 2] < 0.06
    assert sorted(errors)[-5] < 0.3


def test_a_cost_follows_a_machine_that_becomes_busy() -> None:
    """Forty calls after the machine became three times slower, the estimate is within a sixth."""
    cost = LinearCost((0.01, 0.01))
    for n in range(100):
        cost.measure((1.0, n % 7), 0.01 + 0.002 * (n % 7))
    for n in range(40):
        cost.measure((1.0, n % 7), 0.03 + 0.006 * (n % 7))

    assert cost.estimate_s((1.0, 5.0)) == pytest.approx(0.06, rel=1 / 6)


def test_a_call_without_a_duration_is_not_measured() -> None:
    """A clock may not have moved."""
    cost = LinearCost((1.0,))
    cost.measure((1.0,), 0.0)

    assert (cost.is_measured, cost.estimate_s((2.0,))) == (False, 2.0)


@pytest.mark.parametrize("count", [32, 64])
def test_prefill_lengthens_a_step_by_its_share(count: int) -> None:
    """A slice takes at most PREFILL_SHARE of the decode call, so that replies keep their pace."""
    rates = measured(0.01, 0.01)
    tokens = rates.prefill_tokens(decoding(count), [prompt(500)])

    assert MIN_PREFILL_TOKENS < tokens
    assert 0.01 + 0.01 * tokens == pytest.approx(PREFILL_SHARE * (0.01 + 0.01 * count), rel=0.1)


@pytest.mark.parametrize(("gain", "least"), [(0.8, MIN_JOINED_TOKENS), (1.5, MIN_PREFILL_TOKENS)])
def test_slices_have_a_least_size(gain: float, least: int) -> None:
    """Beside one reply, a call for its share of a step would read all weights for a token or two."""
    rates = measured(0.02, 0.01)
    rates.joining.measure(gain)

    assert rates.prefill_tokens(decoding(1), [prompt(500)]) == least


@pytest.mark.parametrize(("gain", "call_s"), [(0.8, 0.0), (1.5, 0.05)])
def test_one_call_for_both_leaves_larger_slices(gain: float, call_s: float) -> None:
    """A slice's own call has a constant cost within the slice's share. In one call with the replies it has none."""
    rates, running = measured(0.05, 0.01), decoding(64)
    rates.joining.measure(gain)
    tokens = rates.prefill_tokens(running, [prompt(500)])
    counted, added_s = rates.slice_of(0.69, 500, 0.0, 1 / 64)

    assert call_s + 0.01 * tokens == pytest.approx(PREFILL_SHARE * 0.69, rel=0.1)
    assert (counted, added_s) == (pytest.approx(tokens, rel=0.1), pytest.approx(PREFILL_SHARE * 0.69, rel=0.1))


def test_calls_for_both_teach_the_costs_of_each() -> None:
    """A service may never be without a reply again, so that no prompt is computed alone."""
    rates = StepRates()
    for n in range(400):
        decoding_load, prompt_load = (1.0, 1.0 + n % 8, 0.0), (1.0, 8.0 + n % 24, 0.0)
        rates.measure(decoding_load, 0.006 + 0.001 * decoding_load[1], decodes=True)
        rates.measure_joined(decoding_load, prompt_load, 0.006 + 0.001 * decoding_load[1] + 0.0005 * prompt_load[1])

    assert rates.joining.pays
    assert rates.prompt_s(100, 0.0) == pytest.approx(0.05, rel=0.05)
    assert rates.decode_s(4, 0.0) == pytest.approx(0.010, rel=0.05)


def test_calls_that_disturb_each_other_teach_nothing() -> None:
    """llama.cpp's own attention computes a mixed batch in a multiple of the time of two calls."""
    rates = measured(0.006, 0.001)
    before = rates.prompt_s(100, 0.0)
    for _ in range(20):
        rates.measure_joined((1.0, 4.0, 0.0), (1.0, 16.0, 0.0), 4 * 0.032)

    assert not rates.joining.pays
    assert rates.prompt_s(100, 0.0) == before


def test_a_backlog_of_prompts_gets_a_larger_share() -> None:
    """With more than BACKLOG_S of prefill, the waiting count more than the pace of the running, up to a factor."""
    rates, running = measured(0.01, 0.01, 1e-9), decoding(64)
    few, more, most = (rates.prefill_tokens(running, [prompt(900)] * count) for count in (1, 2, 20))

    assert more == pytest.approx(1.8 * few, rel=0.1)
    assert most == pytest.approx(BACKLOG_FACTOR * few, rel=0.1)


def test_more_prompts_than_replies_get_a_larger_share() -> None:
    """When many ask at once, the first one to be answered does not make the others wait for slices of a few tokens."""
    rates = measured(0.01, 0.005, 1e-9)
    as_many, twice = (rates.prefill_tokens(decoding(64), [prompt(20)] * count) for count in (64, 128))

    assert 0.01 + 0.005 * as_many == pytest.approx(PREFILL_SHARE * 0.33, rel=0.1)
    assert 0.01 + 0.005 * twice == pytest.approx(2 * PREFILL_SHARE * 0.33, rel=0.1)


def test_a_step_that_nobody_notices_is_filled_with_prefill() -> None:
    """Beside one reply of a fast model a share of its step would be a few tokens."""
    tokens = measured(0.002, 0.0005, 1e-9).prefill_tokens(decoding(1), [prompt(500)])

    assert 0.002 + 0.0005 * tokens == pytest.approx(SHORT_STEP_S - 0.0025, rel=0.1)


def test_more_replies_leave_larger_slices() -> None:
    """Their step takes longer anyway."""
    rates = measured(0.005, 0.005)

    assert rates.prefill_tokens(decoding(64), [prompt(1500)]) > 2 * rates.prefill_tokens(decoding(24), [prompt(1500)])


def test_a_deep_prompt_gets_smaller_slices() -> None:
    """Its tokens take longer: attention walks over those before them."""
    rates, running = measured(0.005, 0.002, 2e-6), decoding(48)

    assert rates.prefill_tokens(running, [prompt(30_000, 20_000)]) < rates.prefill_tokens(running, [prompt(30_000)]) / 2


def test_a_prompt_alone_is_computed_in_slices_of_bounded_time() -> None:
    """Newcomers wait for the end of a step; a slow machine still computes MIN_IDLE_TOKENS at once."""
    assert measured(0.01, 0.001).prefill_tokens([], [prompt(1500)]) == pytest.approx(IDLE_STEP_S / 0.001, rel=0.1)
    assert measured(0.1, 0.1).prefill_tokens([], [prompt(1500)]) == MIN_IDLE_TOKENS


def test_loads_count_tokens_and_what_lies_before_them() -> None:
    """A slice's tokens stand at its middle on average."""
    assert load_of([ScheduledTokens(prompt(100, 40), 20)]) == (1.0, 20, 20 * 50)
