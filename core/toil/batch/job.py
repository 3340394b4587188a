"""What all rows of a batch share, and what becomes of one row with it: a task. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from core import strict_json
from core.contract import Json, Sampling, Task
from core.errors import BadRequest
from core.request_validation import of_validation
from core.toil.batch.rows import Row
from core.toil.batch.template import Template
from core.toil.request import ToilFields

ID_LIMIT_CHARS = 512


class OwnFields(ToilFields):
    """A row that is not put into a template: it brings its prompt along."""

    id: str | int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """`schema`: for rows that have none of their own. Without a template, rows bring their prompts."""

    personality: str
    schema: Mapping[str, Json] | bool | None = None
    template: Template | None = None
    sampling: Sampling = field(default_factory=Sampling)
    user: str | None = None

    def task(self, row: Row) -> Task:
        """Raises BadRequest: ColumnUnknown, or ParameterRefused naming the row's key."""
        if self.template is not None:
            return self._task(self.template.fill(row.fields))
        try:
            own = OwnFields.model_validate(row.fields)
        except ValidationError as exc:
            raise of_validation(exc) from exc
        return own.task(
            self.personality, self.user, common=Task(self.personality, "", self.schema, sampling=self.sampling)
        )

    def _task(self, prompt: str) -> Task:
        if not prompt.strip():
            raise BadRequest("the prompt is empty")
        strict_json.check_text(prompt)
        return Task(self.personality, prompt, self.schema, user=self.user, sampling=self.sampling)


def id_of(row: Row, key: str = "id") -> Json:
    """What the caller calls the row, if it is something to call it by."""
    name = row.fields.get(key)
    if isinstance(name, str):
        return name[:ID_LIMIT_CHARS]
    return name if isinstance(name, int) and not isinstance(name, bool) else None
