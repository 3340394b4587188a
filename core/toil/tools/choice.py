"""The tools that a model may still call in one answer, and the schema of its decision. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from core import strict_json
from core.contract import Json, Tool, Toolbox, ToolCall
from core.errors import BadRequest
from core.toil.tools.parameters import takes_none

CALLS_LIMIT = 8  # of one answer
# The cosines from which a tool is called, where no model chooses. On the tuning part of benchmarks/tool_choice.toml,
# questions that need no tool reach 0.08, and all but one of the others are above 0.11. After a call, a question is
# about another tool as well only if it is clearly so.
LIKELY, LIKELY_NEXT = 0.1, 0.25
DECISION_KEY = "function"
# The decision to call none. Another word where a tool has this name.
NO_CALL = ("answer", "no_call", "-")


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`made`: the calls of the question so far, with their outputs. `calls`: those of this answer.

    `barred`: the tools for which the model repeated a call of an earlier answer, although a new one was required.
    """

    toolbox: Toolbox
    made: tuple[ToolCall, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    barred: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """True if another call may follow."""
        if not self.calls:
            return bool(self.tools)
        return self.toolbox.parallel and len(self.calls) < CALLS_LIMIT and bool(self.tools)

    @property
    def is_required(self) -> bool:
        return self.toolbox.required and not self.calls

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools that may be called: those that give a new call, or all if there is none and one is required."""
        return self._fresh or (self.toolbox.tools if self.is_required else ())

    @property
    def _fresh(self) -> tuple[Tool, ...]:
        """The tools that can be called without repeating a call."""
        called = {call.name for call in (*self.made, *self.calls)}
        return tuple(
            tool
            for tool in self.toolbox.tools
            if tool.name not in self.barred and not (takes_none(tool) and tool.name in called)
        )

    @property
    def done(self) -> tuple[ToolCall, ...]:
        """The calls that must not be repeated. If one is required and no other tool is left, it may be repeated."""
        return self.calls if self.is_required and len(self._fresh) <= 1 else (*self.made, *self.calls)

    @property
    def settled(self) -> Tool | None:
        """The tool that is called without a decision."""
        return self.tools[0] if self.is_required and len(self.tools) == 1 else None

    @property
    def no_call(self) -> str:
        names = {tool.name for tool in self.toolbox.tools}
        return next(word for word in NO_CALL if word not in names)

    def schema(self) -> dict[str, Json]:
        """The schema of the decision: a tool's name, or `no_call` if none is required."""
        names: list[Json] = [tool.name for tool in self.tools]
        return {
            "type": "object",
            "properties": {DECISION_KEY: {"enum": names if self.is_required else [self.no_call, *names]}},
            "required": [DECISION_KEY],
            "additionalProperties": False,
        }

    def chosen(self, value: Json) -> Tool | None:
        """The tool that a value of `schema` names."""
        name = value.get(DECISION_KEY) if isinstance(value, dict) else None
        return next((tool for tool in self.tools if tool.name == name), None)

    def likeliest(self, cosines: Mapping[str, float]) -> Tool | None:
        """The tool that the question is about, if no model chooses. `cosines`: of question and tool, by name.

        Each tool is called once: cosines do not tell whether a result leaves a part of the question open.
        """
        called = {call.name for call in (*self.made, *self.calls)}
        fresh = [tool for tool in self.tools if tool.name not in called]
        candidates = fresh or (self.tools if self.is_required else ())
        best = max(candidates, key=lambda tool: cosines[tool.name], default=None)
        limit = LIKELY_NEXT if called else LIKELY
        return best if best and (self.is_required or cosines[best.name] >= limit) else None

    def may_repeat(self, tool: Tool) -> bool:
        """True if a call of this tool can turn out to repeat an earlier one."""
        return any(call.name == tool.name for call in self.done)

    def repeats(self, call: ToolCall) -> bool:
        """True if this call was made before."""
        return identity(call) in {identity(other) for other in self.done}


def identity(call: ToolCall) -> tuple[str, str]:
    """The name and the arguments, without the accidents of their writing."""
    try:
        return call.name, json.dumps(strict_json.parse(call.arguments, last_wins=True), sort_keys=True)
    except BadRequest:  # of a caller's history, which it may have written itself
        return call.name, call.arguments
