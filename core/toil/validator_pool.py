"""Plans schemas and checks values in child processes, which the kernel ends when one takes too long.

A schema comes from a stranger, and some take exponential time on a small value; no validator that we tried is proof
against all. In a child that costs two seconds of one core and nobody's event loop. `validator_process` is the child; it
lives on from question to question, for starting one takes longer than a thousand checks.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from core.contract import Json, Note
from core.errors import SchemaRefused
from core.runtime.child_pool import ChildEnded, ChildPool
from core.toil.schema.plan import Plan

COMMAND = (sys.executable, "-m", "core.toil.validator_process")
WALL_LIMIT_S = 20  # a machine may be busy; the child's own limit of CPU time is what ends a bomb
AT_ONCE = 4  # children; more would take the cores from the model
PLANS_KEPT = 256
TOO_LONG = "checking against it takes too long, or too much memory: simplify its patterns and references"


@dataclass(frozen=True, slots=True)
class Problem:
    """Where a value fails, by which keyword, and what that asks for: the schema's words, not the value's."""

    where: str
    keyword: str
    expected: str = ""

    def __str__(self) -> str:
        return f"{self.where} fails `{self.keyword}`"

    @property
    def told(self) -> str:
        return f"{self}: {self.expected}" if self.expected else str(self)


class Judge:
    """One per event loop. Children are started when they are needed, and ended by `close` or with this process."""

    def __init__(self) -> None:
        self._children = ChildPool(COMMAND, limit=AT_ONCE, wall_limit_s=WALL_LIMIT_S)
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    async def plan(self, schema: Json) -> Plan:
        """Raises SchemaRefused with the place and the reason."""
        key = key_of(schema)
        if key not in self._plans:
            made = (await self._ask({"ask": "plan", "schema": schema}))["plan"]
            self._plans[key] = Plan(made["written"], made["narrowed"], tuple(Note(*note) for note in made["notes"]))
            while len(self._plans) > PLANS_KEPT:
                self._plans.popitem(last=False)
        self._plans.move_to_end(key)
        return self._plans[key]

    async def problems(self, schema: Json, value: Json) -> tuple[Problem, ...]:
        """None if the value conforms. Raises SchemaRefused if that cannot be found out."""
        question = {"ask": "check", "key": key_of(schema), "value": value}
        answer = await self._ask(question, {"schema": schema})
        return tuple(Problem(*problem) for problem in answer["problems"])

    async def _ask(self, question: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
        """`more` goes along only if the child asks for it."""
        answer = await self._asked(question)
        if answer.get("unknown"):
            answer = await self._asked({**question, **(more or {})})
        if "refused" in answer:
            raise SchemaRefused(answer["refused"])
        return answer

    async def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._children.ask(json.dumps(question).encode() + b"\n")
        except ChildEnded as exc:
            raise SchemaRefused(TOO_LONG) from exc

    async def close(self) -> None:
        """Ends the children. Nothing is under way then."""
        await self._children.close()


def key_of(schema: Json) -> str:
    return hashlib.sha256(json.dumps(schema).encode()).hexdigest()
