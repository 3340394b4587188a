"""A linear model of a call's duration, fitted to the calls as they are measured."""

from __future__ import annotations

from collections.abc import Sequence

MEMORY = 0.99  # a measurement weighs half after 69 more
PACE_WEIGHT = 0.1  # of the latest call in the pace: the load of the machine changes within seconds
SWEEPS = 6
MIN_SCALE_S = 1e-6


class LinearCost:
    """Estimates seconds = Σ coefficient · feature. No coefficient is negative.

    Weighted least squares of the relative errors by coordinate descent (a few sweeps for each measurement): nothing is
    inverted, so that features which never vary apart do no harm. What the coefficients learn slowly, from calls of many
    sizes, the pace corrects fast: the ratio of the latest durations to their estimates. `guess`: the coefficients
    before a measurement.
    """

    def __init__(self, guess: Sequence[float]) -> None:
        self._coefficients = list(guess)
        count = len(guess)
        self._products = [[0.0] * count for _ in range(count)]  # Σ feature · feature
        self._targets = [0.0] * count  # Σ feature · seconds
        self._pace = 1.0
        self.is_measured = False

    def estimate_s(self, features: Sequence[float]) -> float:
        return self._pace * self._fitted_s(features)

    def slope(self, index: int) -> float:
        """The seconds that one unit of this feature costs."""
        return self._pace * self._coefficients[index]

    def measure(self, features: Sequence[float], took_s: float) -> None:
        if took_s <= 0:
            return
        self.is_measured = True
        scale = max(self._fitted_s(features), MIN_SCALE_S)  # errors count relative to the duration
        scaled = [x / scale for x in features]
        for i, x in enumerate(scaled):
            self._targets[i] = MEMORY * self._targets[i] + x * took_s / scale
            row = self._products[i]
            for j, y in enumerate(scaled):
                row[j] = MEMORY * row[j] + x * y
        for _ in range(SWEEPS):
            self._sweep()
        ratio = took_s / max(self._fitted_s(features), MIN_SCALE_S)
        self._pace += PACE_WEIGHT * (ratio - self._pace)

    def _fitted_s(self, features: Sequence[float]) -> float:
        return sum(c * x for c, x in zip(self._coefficients, features, strict=True))

    def _sweep(self) -> None:
        for i, row in enumerate(self._products):
            if row[i] > 0:
                others = sum(row[j] * c for j, c in enumerate(self._coefficients) if j != i)
                self._coefficients[i] = max(0.0, (self._targets[i] - others) / row[i])
