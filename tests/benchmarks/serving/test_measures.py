"""The arithmetic of benchmarks.serving: a wrong ratio would be published."""

from __future__ import annotations

import pytest

from benchmarks.serving.measures import (
    Measurement,
    Ratio,
    Sample,
    Target,
    best_setting,
    percentile,
    spread,
)

SPEED, WAIT = "tokens_per_s", "first_words_s"


def measurement(**servers: list[float]) -> Measurement:
    """One case, one metric; a value for each round."""
    return Measurement(
        [
            Sample(turn, name.replace("_", "-"), "8", {SPEED: value})
            for name, values in servers.items()
            for turn, value in enumerate(values, start=1)
        ]
    )


def test_ratio_is_formed_within_a_round() -> None:
    """A round in which the whole machine is slow changes neither the ratio nor its spread."""
    found = measurement(ours=[100, 20, 110], theirs=[50, 10, 50]).ratio("ours", "theirs", "8", SPEED)

    assert Ratio(median=2.0, low=2.0, high=2.2) == found


def test_ratio_needs_rounds_of_both() -> None:
    """A round that one server lacks is left out; without a common round there is no ratio."""
    found = measurement(ours=[100, 90], theirs=[50])

    assert Ratio(2.0, 2.0, 2.0) == found.ratio("ours", "theirs", "8", SPEED)
    assert found.ratio("ours", "absent", "8", SPEED) is None
    assert found.ratio("ours", "theirs", "16", SPEED) is None


def test_trial_of_settings_does_not_count() -> None:
    """Round 0 is in the samples, and in no figure."""
    found = measurement(ours=[100.0])
    found.samples.insert(0, Sample(0, "ours", "8", {SPEED: 1.0}, "no-kv-unified"))

    assert 100.0 == found.median("ours", "8", SPEED)
    assert ["ours"] == found.servers


@pytest.mark.parametrize(
    ("target", "server", "reached"),
    [
        (Target(SPEED, "8", "llama-server", at_least=1.4), "llama-server of our source", False),
        (Target(SPEED, "8", "llama-server", at_least=1.2), "llama-server of our source", True),
        (Target(SPEED, "8", "llama-server", at_most=1.4), "llama-server", False),
        (Target(SPEED, "8", "llama-server", at_most=1.5), "llama-server", True),
    ],
)
def test_target_is_judged_against_the_best_llama_server(target: Target, server: str, reached: bool) -> None:
    """The llama-server against which ours does worst decides."""
    found = Measurement(
        [
            Sample(1, name, "8", {SPEED: value})
            for name, value in (("ours", 120), ("llama-server", 80), ("llama-server of our source", 100))
        ]
    )
    verdict = found.judge("ours", target)

    assert (server, reached) == (verdict.server, verdict.reached)


def test_target_without_a_server_bounds_the_figure_itself() -> None:
    """A figure at its bound reaches the target."""
    found = measurement(ours=[0.9, 0.8, 1.0])

    assert found.judge("ours", Target(SPEED, "8", at_least=0.9)).reached is True
    assert found.judge("ours", Target(SPEED, "8", at_most=0.89)).reached is False


def test_what_was_not_measured_is_not_missed() -> None:
    """A target of another case or of an absent server has no verdict."""
    found = measurement(ours=[100.0])

    assert found.judge("ours", Target(SPEED, "16", at_least=1)).reached is None
    assert found.judge("ours", Target(SPEED, "8", "llama-server", at_least=1)).reached is None
    assert str(found.judge("ours", Target(WAIT, "8", at_most=1))).startswith("not measured")


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 99, 0),
        ([7], 50, 7),
        ([3, 1, 2], 50, 2),
        ([4, 3, 2, 1], 50, 2),
        (list(range(1, 101)), 99, 99),
        (list(range(1, 102)), 99, 100),
        ([1] * 98 + [500, 500], 99, 500),
    ],
)
def test_percentile_is_a_measured_value(values: list[float], percent: float, expected: float) -> None:
    """The nearest rank: the smallest value that so many values do not exceed."""
    assert expected == percentile(values, percent)


def test_spread_of_nothing_is_none() -> None:
    """No value is not zero."""
    assert spread([]) is None
    assert Ratio(2, 1, 3) == spread([3, 1, 2])


def test_best_setting_is_fastest_over_all_cases() -> None:
    """A setting that wins by far in one case and loses a little in another one is chosen."""
    samples = [
        Sample(0, "llama-server", case, {SPEED: rate}, setting)
        for case, setting, rate in (("1", "a", 20.0), ("16", "a", 50.0), ("1", "b", 18.0), ("16", "b", 100.0))
    ]

    assert "b" == best_setting(samples, SPEED)
    assert "a" == best_setting([*samples[:2], samples[3]], SPEED), "b failed in one case"
