"""Pace, fairness, waits and starvation as numbers: the inference thread under load, with modelled costs."""

from __future__ import annotations

import random
import statistics

import pytest

from core.model.worker.sequence import FinishedOutput
from tests.core.model.worker.support_simulation import SimulatedRequest, Simulation


def finished(requests: list[SimulatedRequest]) -> bool:
    return all(isinstance(request.end, FinishedOutput) and request.end.reason == "stop" for request in requests)


def told_errors(requests: list[SimulatedRequest]) -> list[float]:
    """The relative error of the first expected wait that each request got."""
    errors = []
    for request in requests:
        told = [(at_s, output.wait_s) for at_s, output in request.told if output.wait_s is not None]
        if told:
            real_s = request.texts_s[0] - told[0][0]
            errors.append(abs(told[0][1] - real_s) / real_s)
    return errors


def test_replies_keep_their_pace_while_long_prompts_arrive() -> None:
    """Eight replies, and prompts of 1,500 tokens by Poisson: the 99th percentile between tokens is ≤2 medians."""
    chance, sim = random.Random(1), Simulation(noise=0.05)
    replies = [sim.ask(0.0, 60, 100_000) for _ in range(8)]
    arrives_s, prompts = 3.0, []
    for _ in range(12):
        arrives_s += chance.expovariate(0.05)
        prompts.append(sim.ask(arrives_s, 1500, 64))
    sim.run(until=lambda: all(prompt.end for prompt in prompts))
    gaps_s = sorted(gap_s for reply in replies for gap_s in reply.gaps_s[10:])

    assert gaps_s[int(0.99 * len(gaps_s))] <= 2 * statistics.median(gaps_s)
    assert statistics.median(prompt.first_words_s for prompt in prompts) < 30, "4 s alone"


@pytest.mark.parametrize(("slots", "seed"), [(16, 1), (16, 2), (4, 3)])
def test_told_waits_come_true(slots: int, seed: int) -> None:
    """Twenty wait; prompts and answers have many lengths. The median error of the first told wait is ≤30 %."""
    chance, sim = random.Random(seed), Simulation(slots=slots, seed=seed)
    for _ in range(12):
        sim.ask(0.0, chance.randint(100, 600), int(chance.lognormvariate(4.2, 0.6)) + 5)
    crowd = [
        sim.ask(200 + 5 * chance.random(), chance.randint(100, 600), int(chance.lognormvariate(4.2, 0.6)) + 5)
        for _ in range(slots + 20)
    ]
    sim.run()
    errors = told_errors(crowd)

    assert len(errors) == 20
    assert statistics.median(errors) <= 0.3


def test_no_wait_is_told_without_a_basis() -> None:
    """Before a first answer is complete, only positions are told."""
    sim = Simulation(slots=1)
    first = sim.ask(0.0, 50, 40)
    second = sim.ask(0.0, 50, 40)
    third = sim.ask(0.0, 50, 40)
    sim.run()

    assert all(output.wait_s is None for _, output in second.told)
    before = [output.wait_s for at_s, output in third.told if at_s < first.ended_s]
    after = [output.wait_s for at_s, output in third.told if at_s > first.ended_s]
    assert set(before) == {None}
    assert after
    assert None not in after


def test_two_hundred_users_are_served_in_turns() -> None:
    """One asks 57 times before 199 others come: nobody waits for all 57, and the told waits come true."""
    sim = Simulation(slots=8)
    for _ in range(4):
        sim.ask(0.0, 60, 8)
    crowd = [sim.ask(30.0, 60, 8, user="crowd") for _ in range(57)]
    others = [sim.ask(31.0, 60, 8) for _ in range(199)]
    sim.run()
    order = sorted([*crowd, *others], key=lambda request: request.texts_s[0])

    assert finished([*crowd, *others])
    assert sum(request in crowd for request in order[:200]) <= 8 + 8 + 1, "those that ran before, and one turn"
    assert statistics.median(told_errors(others)) <= 0.3


def test_a_long_prompt_delays_no_short_one() -> None:
    """First words of short prompts beside one of 20,000 tokens: less than 3 s, where the long one needs minutes."""
    sim = Simulation()
    long = sim.ask(0.0, 20_000, 16)
    short = [sim.ask(10.0 + 15 * n, 60, 16) for n in range(5)]
    sim.run()

    assert max(request.first_words_s for request in short) < 3
    assert long.first_words_s > 100


def test_short_prompts_do_not_starve_a_long_one() -> None:
    """While short prompts arrive without end, the long one begins within three times of what it needs alone."""
    alone = Simulation(slots=16)
    undisturbed = alone.ask(0.0, 4000, 16)
    alone.run()
    sim = Simulation(slots=16)
    long = sim.ask(0.0, 4000, 16)
    for n in range(200):
        sim.ask(0.1 + 0.4 * n, 150, 1)
    sim.run(until=lambda: bool(long.texts_s))

    assert long.first_words_s < 3 * undisturbed.first_words_s


def test_people_do_not_wait_for_a_batch_and_it_does_not_starve() -> None:
    """Forty rows fill the slots: people's first words come at once, and rows go on while people never stop asking."""
    sim = Simulation(slots=8)
    rows = [sim.ask(0.0, 100, 100, user="batch", priority="batch") for _ in range(40)]
    people = [sim.ask(10.0 + 1.5 * n, 100, 60) for n in range(80)]
    sim.run()
    rows_meanwhile = [row for row in rows if row.ended_s < people[-1].arrives_s]

    assert finished([*rows, *people])
    assert statistics.median(person.first_words_s for person in people[:20]) < 3
    assert len(rows_meanwhile) >= 3
    assert all(len(row.texts_s) == 100 for row in rows), "suspended ones lose no text"


def test_a_cancelled_request_is_not_computed_any_more() -> None:
    """Within one step, whether it decodes or its prompt is long."""
    sim = Simulation()
    decoding, prompt = sim.ask(0.0, 50, 500), sim.ask(3.0, 5000, 10)
    cancelled_s: list[float] = []

    def cancel() -> None:
        cancelled_s.append(sim.clock.now_s)
        for each in (decoding, prompt):
            assert each.sequence
            sim.inference.cancel(each.sequence)

    sim.at(5.0, cancel)
    after = sim.ask(5.0, 50, 10)
    sim.run(until=lambda: after.end is not None)

    assert decoding.texts_s[-1] <= cancelled_s[0]
    assert not prompt.texts_s
    assert sim.scheduler.running == []


def test_a_full_cache_suspends_and_does_not_thrash() -> None:
    """Ten answers of 400 tokens where four fit: all are complete, with few suspensions."""
    sim = Simulation(cells=2000)
    requests = [sim.ask(0.0, 100, 400) for _ in range(10)]
    sim.run()

    assert finished(requests)
    assert all(len(request.texts_s) == 400 for request in requests)
    assert sim.metrics.registry.get_sample_value("csps_model_preemptions_total") <= 20  # type: ignore[operator]
    assert sim.model.refusals <= 40
