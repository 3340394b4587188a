"""The settings that `csps-llm tune` tries, and what a measurement of them costs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from core.model.hardware.model_shape import KvType
from core.model.hardware.tuning import TunedValues

Part = Literal["prompt", "answer", "shared"]
PARTS: tuple[Part, ...] = ("prompt", "answer", "shared")
UBATCHES = (128, 256, 512)
# The request that is optimised: a question with its instructions, and an answer that is alone or among eight.
PROMPT_TOKENS = 400
ANSWER_TOKENS = 150
SHARED_SEQUENCES = 8


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination of settings. `flash_attention` None: where the device can."""

    threads: int
    threads_batch: int
    ubatch: int
    flash_attention: bool | None
    kv_type: KvType
    gpu_layers: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def changes_from(self, default: Trial) -> TunedValues:
        """Returns the values that differ from the automatic choice."""
        mine, theirs = self.to_dict(), default.to_dict()
        return TunedValues(**{name: value for name, value in mine.items() if value != theirs[name]})


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: of a prompt's token, of an answer's token alone, and of a step with SHARED_SEQUENCES answers.

    A part that was not measured is 0.
    """

    prompt_s: float = 0.0
    answer_s: float = 0.0
    shared_s: float = 0.0

    def __add__(self, other: Timing) -> Timing:
        return Timing(self.prompt_s + other.prompt_s, self.answer_s + other.answer_s, self.shared_s + other.shared_s)

    @property
    def cost_s(self) -> float:
        """The seconds of one request, half of whose answer is alone."""
        return PROMPT_TOKENS * self.prompt_s + ANSWER_TOKENS * (self.answer_s + self.shared_s) / 2


@dataclass(frozen=True, slots=True)
class Dimension:
    """Alternatives to try in place of one or two settings. Only `parts` depend on them."""

    name: str
    parts: tuple[Part, ...]
    values: tuple[dict[str, Any], ...]

    def trials(self, best: Trial) -> list[Trial]:
        """Returns the other trials that this dimension offers."""
        found = dict.fromkeys(replace(best, **value) for value in self.values)
        return [trial for trial in found if trial != best]


def build_space(
    default: Trial,
    counts: Sequence[int],
    *,
    quantizes: bool,
    gpu_layers: Sequence[int] = (),
    fixed: frozenset[str] = frozenset(),
) -> list[Dimension]:
    """Returns the dimensions, those with the largest effect first. Settings in `fixed` keep their default.

    `counts`: numbers of threads to try; `gpu_layers`: numbers of layers on GPUs.
    """
    flash = [default.flash_attention] if "flash_attention" in fixed else [None, False]
    kv_types: list[KvType] = [default.kv_type] if "kv_type" in fixed or not quantizes else ["f16", "q8_0"]
    attention = [
        {"flash_attention": each, "kv_type": kv_type}
        for kv_type in kv_types
        for each in flash
        if kv_type == "f16" or each is not False
    ]
    dimensions = [
        Dimension("gpu_layers", PARTS, tuple({"gpu_layers": each} for each in gpu_layers)),
        # llama.cpp computes a step of several answers with the threads of prompts.
        Dimension("threads", ("answer",), tuple({"threads": each} for each in counts)),
        Dimension("threads_batch", ("prompt", "shared"), tuple({"threads_batch": each} for each in counts)),
        Dimension("attention", PARTS, tuple(attention)),
        Dimension("ubatch", ("prompt",), tuple({"ubatch": each} for each in UBATCHES)),
    ]
    return [each for each in dimensions if each.name not in fixed and len(each.values) > 1]


def thread_counts(cores: int, logical: int) -> list[int]:
    """Returns the numbers of threads to try: half, fewer by one, all fast cores, and all logical processors."""
    return sorted({max(cores // 2, 1), max(cores - 1, 1), cores, logical})
