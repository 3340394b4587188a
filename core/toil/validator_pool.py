"""Plans schemas and validates values in child processes, which the kernel ends when one takes too long.

Schemas come from strangers. Some take exponential time on a small value, in every validator that we tried. A child
process loses two seconds of one core over them and does not block the event loop. `validator_process` is the child.
It answers many questions, because starting one takes longer than a thousand validations.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

from cachetools import LRUCache

from core.contract import Json, KeywordReport
from core.errors import SchemaRefused
from core.runtime.child_pool import ChildEnded, ChildPool
from core.toil.schema.plan import SchemaPlan
from core.toil.violation import Violation

COMMAND = (sys.executable, "-m", "core.toil.validator_process")
WALL_LIMIT_S = 20  # generous, for a busy machine; the child's limit of CPU time is what ends a bomb
CHILDREN_LIMIT = 4  # more would take cores from the model
PLANS_CACHED = 256
TOO_LONG = "checking against it takes too long, or too much memory: simplify its patterns and references"


class ValidatorPool:
    """One per event loop. Children start on demand, and end with `close` or with this process."""

    def __init__(self) -> None:
        self._children = ChildPool(COMMAND, limit=CHILDREN_LIMIT, wall_limit_s=WALL_LIMIT_S)
        self._plans: LRUCache[str, SchemaPlan] = LRUCache(PLANS_CACHED)

    async def plan(self, schema: Json) -> SchemaPlan:
        """Raises SchemaRefused with the place and the reason."""
        key = digest_schema(schema)
        if key not in self._plans:
            answer = (await self._ask({"ask": "plan", "schema": schema}))["plan"]
            reports = tuple(KeywordReport(*report) for report in answer["reports"])
            meant_numbers = tuple((written, meant) for written, meant in answer["meant_numbers"])
            self._plans[key] = SchemaPlan(**{**answer, "reports": reports, "meant_numbers": meant_numbers})
        return self._plans[key]

    async def validate(self, schema: Json, value: Json) -> tuple[Violation, ...]:
        """The violations; none if the value conforms. Raises SchemaRefused if that cannot be determined."""
        question = {"ask": "validate", "key": digest_schema(schema), "value": value}
        answer = await self._ask(question, {"schema": schema})
        return tuple(Violation(*violation) for violation in answer["violations"])

    async def _ask(self, question: dict[str, Any], extra: dict[str, Any] | None = None) -> dict[str, Any]:
        """Sends `extra` only if the child asks for it."""
        answer = await self._ask_child(question)
        if answer.get("unknown"):
            answer = await self._ask_child({**question, **(extra or {})})
        if "refused" in answer:
            raise SchemaRefused(answer["refused"])
        return answer

    async def _ask_child(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._children.ask(json.dumps(question).encode() + b"\n")
        except ChildEnded as exc:
            raise SchemaRefused(TOO_LONG) from exc

    async def close(self) -> None:
        """Ends the children. No call may be running."""
        await self._children.close()


def digest_schema(schema: Json) -> str:
    return hashlib.sha256(json.dumps(schema).encode()).hexdigest()
