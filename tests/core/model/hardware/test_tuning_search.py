"""The search for the fastest settings, on simulated machines whose clock only measurements move."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import pytest

from core.model.hardware.tuning import TunedValues
from core.model.hardware.tuning_search import TuningSearch, is_faster
from core.model.hardware.tuning_space import PARTS, Part, Timing, Trial, build_space, thread_counts

DEFAULT = Trial(4, 4, 512, None, "f16", 0)
SPACE = build_space(DEFAULT, thread_counts(4, 8), quantizes=True)
Speed = Callable[[Trial], Timing]


class SimulatedMachine:
    """Measures by a formula with noise. A measurement takes a second; now and then another program slows it down."""

    def __init__(self, speed: Speed, noise: float = 0.0, seed: int = 0) -> None:
        self._speed = speed
        self._noise = noise
        self._random = random.Random(seed)
        self.now = 0.0
        self.measured: list[tuple[Trial, tuple[Part, ...]]] = []

    def clock(self) -> float:
        return self.now

    def measure(self, trial: Trial, parts: Sequence[Part]) -> Timing | None:
        self.now += 1
        self.measured.append((trial, tuple(parts)))
        busy = 1.8 if self._noise and self._random.random() < 0.1 else 1.0
        factor = busy * max(self._random.gauss(1, self._noise), 0.2)
        exact = self._speed(trial)
        seconds = (exact.prompt_s, exact.answer_s, exact.shared_s)
        return Timing(*(each * factor * (part in parts) for each, part in zip(seconds, PARTS, strict=True)))

    def search(self, budget_s: float = 200.0) -> TuningSearch:
        return TuningSearch(self.measure, self.clock, budget_s)


def landscape(seed: int) -> Speed:
    """A machine on which each value has a random factor, between half and twice the time."""
    chance = random.Random(seed)
    factors: dict[tuple[str, object], float] = {}

    def factor(trial: Trial, *names: str) -> float:
        found = 1.0
        for name in names:
            key = (name, getattr(trial, name))
            factors.setdefault(key, chance.uniform(0.5, 2.0))
            found *= factors[key]
        return found

    def speed(trial: Trial) -> Timing:
        shared = factor(trial, "flash_attention")
        batched = shared * factor(trial, "threads_batch")
        answer_s = 0.02 * shared * factor(trial, "threads")
        return Timing(0.003 * batched * factor(trial, "ubatch"), answer_s, 0.06 * batched)

    return speed


def best_cost(speed: Speed) -> float:
    """The exhaustive search, without noise."""
    costs = []
    for values in product(*(dimension.values for dimension in SPACE)):
        trial = DEFAULT
        for value in values:
            trial = replace(trial, **value)
        costs.append(speed(trial).cost_s)
    return min(costs)


def test_the_result_is_close_to_an_exhaustive_search() -> None:
    """Within 10 % on 57 of 60 machines with noise, and never slower than the automatic choice."""
    ratios = []
    for seed in range(60):
        speed = landscape(seed)
        best = SimulatedMachine(speed, noise=0.03, seed=seed).search().run(DEFAULT, SPACE).best
        assert speed(best).cost_s <= 1.02 * speed(DEFAULT).cost_s, f"machine {seed}"
        ratios.append(speed(best).cost_s / best_cost(speed))
    assert sum(ratio <= 1.10 for ratio in ratios) >= 57
    assert max(ratios) < 1.3


def test_noise_alone_changes_nothing() -> None:
    """If all settings are equally fast, the automatic choice stays on 57 of 60 machines with much noise."""
    machines = [SimulatedMachine(lambda _: Timing(0.003, 0.02, 0.06), noise=0.1, seed=seed) for seed in range(60)]
    assert sum(machine.search().run(DEFAULT, SPACE).best == DEFAULT for machine in machines) >= 57


def test_a_small_gain_changes_nothing() -> None:
    """One that nobody would notice is not worth another setting."""
    machine = SimulatedMachine(lambda trial: Timing(0.003, 0.0198 if trial.threads == 8 else 0.02, 0.06))
    assert DEFAULT == machine.search().run(DEFAULT, SPACE).best


def test_a_less_exact_cache_must_be_worth_it() -> None:
    """It changes answers, so it needs a gain of 10 %."""
    for gain, kv_type in ((0.95, "f16"), (0.8, "q8_0")):
        factors = {"f16": 1.0, "q8_0": gain}

        def speed(trial: Trial, factors: dict[str, float] = factors) -> Timing:
            factor = factors[trial.kv_type]
            return Timing(0.003 * factor, 0.02 * factor, 0.06 * factor)

        machine = SimulatedMachine(speed)
        assert kv_type == machine.search().run(DEFAULT, SPACE).best.kv_type


def test_refused_settings_are_left_out() -> None:
    """The engine may lack a kernel. The other values count."""
    machine = SimulatedMachine(lambda trial: Timing(0.003, 0.1 / trial.threads, 0.06))

    def measure(trial: Trial, parts: Sequence[Part]) -> Timing | None:
        return None if trial.threads == 8 else machine.measure(trial, parts)

    result = TuningSearch(measure, machine.clock, 200).run(replace(DEFAULT, threads=2), SPACE)
    assert 4 == result.best.threads


def test_a_default_that_cannot_be_measured_is_an_error() -> None:
    """There would be nothing to compare with."""
    with pytest.raises(ValueError, match="could not be measured"):
        TuningSearch(lambda *_: None, lambda: 0.0, 10).run(DEFAULT, SPACE)


def test_the_search_ends_in_time() -> None:
    """A slow machine tries fewer settings, but the result is compared with the automatic choice."""
    machine = SimulatedMachine(landscape(1))
    machine.search(budget_s=30).run(DEFAULT, SPACE)
    assert machine.now < 40
    assert (DEFAULT, PARTS) in machine.measured[-6:]


def test_candidates_take_turns() -> None:
    """A machine that becomes busy slows down all of them. Only the parts that depend on a setting are measured."""
    machine = SimulatedMachine(landscape(2))
    machine.search().run(DEFAULT, [next(each for each in SPACE if each.name == "threads")])
    first, second = ([trial.threads for trial, _ in machine.measured[start : start + 4]] for start in (0, 4))
    assert sorted(first) == sorted(second) == [2, 3, 4, 8]
    assert first != second
    assert ("answer",) == machine.measured[0][1]
    assert PARTS == machine.measured[-1][1]


def test_steps_of_several_answers_belong_to_the_threads_of_prompts() -> None:
    """llama.cpp computes them with those. One answer alone has threads of its own."""
    machine = SimulatedMachine(lambda trial: Timing(0.003, 0.02 * trial.threads, 0.6 / trial.threads_batch))
    best = machine.search().run(DEFAULT, SPACE).best
    assert (2, 8) == (best.threads, best.threads_batch)


def test_one_lucky_moment_does_not_decide() -> None:
    """Half of the pairs must show it: a round in which the other one was slowed down ten times is one pair."""
    ours, theirs = [Timing(0.001)] * 5, [Timing(0.01), *[Timing(0.001)] * 4]
    assert not is_faster(ours, theirs)
    assert is_faster([Timing(0.001)] * 5, [Timing(0.01), *[Timing(0.0011)] * 4])


def test_two_measurements_are_needed_for_a_verdict() -> None:
    """One may be luck."""
    fast, slow = Timing(0.001, 0.01, 0.01), Timing(0.001, 0.02, 0.02)
    assert is_faster([fast] * 2, [slow] * 2)
    assert not is_faster([fast], [slow] * 5)


def test_fixed_settings_are_not_tried() -> None:
    """A setting wins over a measured value, so it is not measured."""
    fixed = frozenset({"threads", "threads_batch", "kv_type"})
    space = build_space(DEFAULT, [2, 4], quantizes=True, fixed=fixed)
    assert ["attention", "ubatch"] == [dimension.name for dimension in space]
    assert all(value["kv_type"] == "f16" for value in space[0].values)
    quantized = build_space(replace(DEFAULT, kv_type="q8_0"), [4], quantizes=True, fixed=fixed)
    assert ["ubatch"] == [dimension.name for dimension in quantized]
    off = build_space(
        replace(DEFAULT, flash_attention=False), [4], quantizes=False, fixed=frozenset({"flash_attention"})
    )
    assert ["ubatch"] == [dimension.name for dimension in off]


def test_gpus_add_a_dimension() -> None:
    """Fewer layers on a slow GPU may be faster."""
    space = build_space(DEFAULT, [4], quantizes=False, gpu_layers=(33, 24, 0))
    assert "gpu_layers" == space[0].name
    assert [33, 24] == [trial.gpu_layers for trial in space[0].trials(DEFAULT)]


@pytest.mark.parametrize(
    ("cores", "logical", "counts"), [(1, 1, [1]), (2, 2, [1, 2]), (2, 4, [1, 2, 4]), (8, 16, [4, 7, 8, 16])]
)
def test_the_numbers_of_threads_to_try(cores: int, logical: int, counts: list[int]) -> None:
    """Few of them: memory may be saturated by half of the cores, and hyper-threads may help."""
    assert counts == thread_counts(cores, logical)


def test_only_changes_are_kept() -> None:
    """What was not beaten stays automatic."""
    assert TunedValues(threads=3) == replace(DEFAULT, threads=3).changes_from(DEFAULT)
    assert TunedValues() == DEFAULT.changes_from(DEFAULT)
