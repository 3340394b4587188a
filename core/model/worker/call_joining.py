"""Decides whether a step computes decoding sequences and prompts in one call or in two, by what either took. Pure.

One call reads the weights once, which saves a quarter of a step with a short slice. But llama.cpp's own attention on
the processor computes each row of a mixed batch over the cells of all others (docs/decisions/0051): there two calls
take a fraction of the time. So the way that was faster is taken, and the other one is tried now and then.
"""

from __future__ import annotations

WEIGHT = 0.1  # of the latest call in the gain
SLOWER = 1.25  # the gain of a call that is surely slower: a busy machine lengthens any call now and then
TRIED_AGAIN = 64  # the steps between two tries of two calls, whose costs must stay known
DOUBTED, DOUBTED_MOST = 64, 4096  # the steps before one call is tried again, which double while it stays slower


class CallJoining:
    """`gain`: the duration of one call divided by that of two; 1 while it is unknown."""

    def __init__(self) -> None:
        self.gain = 1.0
        self._is_measured = False
        self._steps = 0  # since the other way was tried
        self._pause = DOUBTED

    @property
    def pays(self) -> bool:
        return self.gain <= SLOWER

    def choose(self) -> bool:
        """True for one call. Counts a step that has decoding sequences and prompts."""
        self._steps += 1
        if self.pays:
            if self._steps < TRIED_AGAIN or not self._is_measured:
                return True
        elif self._steps < self._pause:
            return False
        self._steps = 0
        return not self.pays

    def measure(self, gain: float) -> None:
        """`gain`: of one call that was measured."""
        if self.pays and self._is_measured:
            self.gain += WEIGHT * (gain - self.gain)
        else:
            self._pause = min(2 * self._pause, DOUBTED_MOST) if gain > SLOWER and self._is_measured else DOUBTED
            self.gain = gain
        self._is_measured = True
