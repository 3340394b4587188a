"""One request in the model process: tokens, progress, text, outputs. Knows no llama.cpp, no clock and no asyncio."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.contract import Priority, Sampling, Usage
from core.errors import CspsError
from core.model.worker.conversation import CachedConversation
from core.model.worker.prefix_cache import SuspendedSequence
from core.openai.stream_reader import overlap


@dataclass(frozen=True, slots=True)
class QueuedOutput:
    """The request still waits.

    `position` counts from 1. `wait_s`: the seconds until its first words; None until a first request has finished.
    """

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


# The last output is one FinishedOutput or FailedOutput. A cancelled sequence gets neither.
SequenceOutput = QueuedOutput | TextOutput | FinishedOutput | FailedOutput
PickToken = Callable[[NDArray[np.float32]], int]


class TokenConstraint(Protocol):
    """Restricts the tokens of one sequence (`core.model.worker.constrained.decoder`)."""

    @property
    def complete(self) -> bool: ...
    @property
    def continuations(self) -> list[list[int]]: ...
    def choose(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> list[int]: ...
    def settle(self, pick: PickToken, budget: int, logits: list[list[NDArray[np.float32]]] | None) -> list[int]: ...


class TokenSampler(Protocol):
    def pick(self, logits: NDArray[np.float32]) -> int: ...
    def accept(self, token: int) -> None: ...
    def close(self) -> None: ...


class Detokenizer:
    """Turns token bytes into text. Holds back incomplete UTF-8 and any possible beginning of a stop string."""

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(s for s in stop if s)
        self._pending = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """Returns the text that is now certain. A stop string sets `stopped`; no text follows it."""
        return self._release(self._decoder.decode(data))

    def finish(self) -> str:
        """Returns the pending text at the end of generation: no stop string can complete it any more."""
        text = self._release(self._decoder.decode(b"", final=True)) + self._pending
        self._pending = ""
        return text

    def _release(self, text: str) -> str:
        if not self._stop:
            return text
        if self.stopped:
            return ""
        text = self._pending + text
        matches = [at for at in (text.find(stop) for stop in self._stop) if at >= 0]
        if matches:
            self.stopped, self._pending = True, ""
            return text[: min(matches)]
        keep = max((overlap(text, stop) for stop in self._stop), default=0)
        self._pending = text[len(text) - keep :]
        return text[: len(text) - keep]


@dataclass(eq=False, slots=True)
class Sequence:
    """A request from its arrival to its last token."""

    prompt: NDArray[np.int32]
    max_tokens: int
    sampling: Sampling
    outputs: Callable[[SequenceOutput], None]  # called on the event loop, never on the inference thread
    user: str | None = None
    pinned_tokens: int = 0  # the prompt's first tokens to pin and save to disk (a personality); 0: none
    begun_tokens: int = 0  # the prompt's last tokens that belong to the answer: its grammar dictates them
    constraint: TokenConstraint | None = None
    conversation: CachedConversation | None = None  # None: it leaves nothing on disk
    priority: Priority = "interactive"

    generated: list[int] = field(default_factory=list)
    computed: int = 0  # tokens whose keys and values are in the KV cache
    draft: list[int] = field(default_factory=list)  # guesses at the tokens after the pending ones, in the same batch
    cached: int = 0  # prompt tokens that were in the KV cache before this request
    slot: int | None = None  # its sequence id in the KV cache while it runs
    sampler: TokenSampler | None = None
    text: Detokenizer = field(init=False)
    paused: bool = False  # its client reads too slowly
    queued_at_s: float = 0.0
    admitted_at_s: float = 0.0
    quantile: float = 0.5  # of the length that its answer is expected to have among earlier answers
    overtaken: int = 0  # the number of later requests that got a slot first
    restarted_at: int = 0  # its length when it was suspended because it was alone and had no room
    fetch: Literal["none", "running", "done"] = "none"  # of its conversation's state from disk
    fetched: SuspendedSequence | None = None  # until it is admitted
    restoring: bool = False  # from then on until llama.cpp has computed a first batch with the fetched state

    def __post_init__(self) -> None:
        self.text = Detokenizer(self.sampling.stop)

    @property
    def begun(self) -> bool:
        """True once it had a slot: it may have written text."""
        return self.sampler is not None

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.generated)

    @property
    def pending(self) -> int:
        """Tokens to compute: the rest of the prompt, or the last sampled token and those forced after it."""
        return self.length - self.computed

    def tokens(self, start: int, end: int) -> NDArray[np.int32]:
        """Returns the tokens at positions `start` to `end` - 1 of prompt and answer together."""
        split = len(self.prompt)
        if end <= split:
            return self.prompt[start:end]
        answer = np.asarray(self.generated[max(start - split, 0) : end - split], np.int32)
        return answer if start >= split else np.concatenate([self.prompt[start:], answer])

    @property
    def budget(self) -> int:
        """Tokens that may still be sampled."""
        return self.max_tokens - len(self.generated)

    @property
    def usage(self) -> Usage:
        begun = self.begun_tokens
        return Usage(len(self.prompt) - begun, len(self.generated) + begun, self.cached)
