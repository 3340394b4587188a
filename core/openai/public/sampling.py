"""The sampling parameters of public requests, with the names and values that clients of other engines send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field, field_validator

from core.contract import Sampling
from core.openai.requests import SamplingFields

UNLIMITED = -1  # as LM Studio and Ollama write it
SMALLEST_TOP_P = 1e-6  # keeps the most likely token alone; other engines refuse 0, which OpenAI allows


class PublicSamplingFields(SamplingFields):
    """Sampling as callers write it. -1 is no limit."""

    top_p: float | None = Field(default=None, ge=0, le=1)
    repetition_penalty: float | None = Field(default=None, gt=0, le=10)  # vLLM's name of `repeat_penalty`

    @field_validator(
        "max_tokens", "max_completion_tokens", "max_output_tokens", "top_k", mode="before", check_fields=False
    )
    @classmethod
    def _without_limit(cls, value: Any) -> Any:
        return None if type(value) is int and value == UNLIMITED else value

    @property
    def public_sampling(self) -> Sampling:
        sampling = self.sampling
        return replace(
            sampling,
            top_p=SMALLEST_TOP_P if sampling.top_p == 0 else sampling.top_p,
            repeat_penalty=sampling.repeat_penalty or self.repetition_penalty,
        )
