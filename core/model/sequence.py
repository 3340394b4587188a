"""One request in the model process: its tokens, how far they are computed, and what its reader is told.

Values and bookkeeping; knows no llama.cpp, no clock and no asyncio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.contract import Sampling, Usage
from core.errors import CspsError
from core.model.text import Detokenizer


@dataclass(frozen=True, slots=True)
class QueuedOutput:
    """Still waiting: `position` from 1, and the expected wait in seconds if one can be told yet."""

    position: int
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class TextOutput:
    text: str


@dataclass(frozen=True, slots=True)
class FinishedOutput:
    reason: Literal["stop", "length"]
    usage: Usage


@dataclass(frozen=True, slots=True)
class FailedOutput:
    error: CspsError


PickToken = Callable[[NDArray[np.float32]], int]
SequenceOutput = QueuedOutput | TextOutput | FinishedOutput | FailedOutput


class TokenConstraint(Protocol):
    """What limits the tokens of one sequence (`core.model.constrained_decoding`)."""

    @property
    def complete(self) -> bool: ...
    def choose(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> list[int]: ...


class TokenSampler(Protocol):
    def pick(self, logits: NDArray[np.float32]) -> int: ...
    def accept(self, token: int) -> None: ...
    def close(self) -> None: ...


@dataclass(eq=False, slots=True)
class Sequence:
    """A request from its arrival to its last token."""

    prompt: NDArray[np.int32]
    max_tokens: int
    sampling: Sampling
    reader: Callable[[SequenceOutput], None]  # called on the event loop, never on the inference thread
    user: str | None = None
    kept_prefix: int = 0  # length of the part (a personality) that is to be kept, on disk too; 0: nothing is
    constraint: TokenConstraint | None = None

    generated: list[int] = field(default_factory=list)
    computed: int = 0  # tokens whose keys and values are in the cache
    cached: int = 0  # of the prompt's, those that were computed before this request
    slot: int | None = None  # its id in the KV cache while it runs
    sampler: TokenSampler | None = None
    text: Detokenizer = field(init=False)
    paused: bool = False  # its reader is behind
    queued_at_s: float = 0.0
    admitted_at_s: float = 0.0

    def __post_init__(self) -> None:
        self.text = Detokenizer(self.sampling.stop)

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.generated)

    @property
    def pending(self) -> int:
        """Tokens that wait to be computed: a prompt's rest, or the one drawn last and those forced after it."""
        return self.length - self.computed

    def tokens(self, start: int, end: int) -> NDArray[np.int32]:
        """The tokens at positions start … end - 1, of the prompt and then of the answer."""
        split = len(self.prompt)
        if end <= split:
            return self.prompt[start:end]
        drawn = np.asarray(self.generated[max(start - split, 0) : end - split], np.int32)
        return drawn if start >= split else np.concatenate([self.prompt[start:], drawn])

    @property
    def budget(self) -> int:
        """How many tokens may still be drawn."""
        return self.max_tokens - len(self.generated)

    @property
    def usage(self) -> Usage:
        return Usage(len(self.prompt), len(self.generated), self.cached)
