"""The fields of a toil request, over HTTP or as a row of a batch. Knows neither."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from core import strict_json
from core.contract import Attachment, Sampling, Task
from core.errors import ParameterRefused
from core.toil.schema.drafts import Schema

TEXT_NAME = "text"


class SamplingOptions(BaseModel):
    """The sampling options of a batch or of one request."""

    model_config = ConfigDict(strict=True, extra="forbid")

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1, le=2**31 - 1)
    seed: int | None = Field(default=None, ge=-(2**63), le=2**63 - 1)

    def override(self, sampling: Sampling) -> Sampling:
        """`sampling` with the options that are set here."""
        names = ("temperature", "max_tokens", "seed")
        values = {name: value for name in names if (value := getattr(self, name)) is not None}
        return replace(sampling, **values)


class ToilFields(SamplingOptions):
    """`text`: the data that the prompt refers to. The model gets it as data, never as instructions."""

    prompt: str
    text: str | None = None
    json_schema: Schema | None = Field(default=None, alias="schema")

    def build_task(self, personality: str, user: str | None, common: Task | None = None) -> Task:
        """Takes missing fields from `common`. Raises ParameterRefused for a blank prompt."""
        if not self.prompt.strip():
            raise ParameterRefused("`prompt` is empty", "prompt")
        for field in (self.prompt, self.text or ""):
            strict_json.check_text(field)
        return Task(
            personality,
            self.prompt,
            common.schema if common and self.json_schema is None else self.json_schema,
            user=user,
            attachments=(Attachment(TEXT_NAME, self.text),) if self.text else (),
            sampling=self.override(common.sampling if common else Sampling()),
        )
