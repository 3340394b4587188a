"""Joins the results of tool calls to their calls. Callers send them as messages after those of the calls."""

from __future__ import annotations

from dataclasses import replace

from core.contract import ToolCall, Turn
from core.errors import ParameterRefused


class CallResults:
    """The turns of a conversation. `param`: the request's name of the messages, for errors.

    Results may come in any order, before the next message of the user. Where calls have the same id, which some engines
    give, the first one without a result gets it.
    """

    def __init__(self, param: str) -> None:
        self._param = param
        self._turns: list[Turn] = []

    def add_turn(self, turn: Turn, calls: tuple[ToolCall, ...] = ()) -> None:
        """Adds a message of the user or of the assistant. Raises ParameterRefused if a call before it has no result."""
        if turn.role == "user":
            self._check_results()
        self._turns.append(replace(turn, calls=calls))

    def add_result(self, call_id: str, output: str) -> None:
        """Raises ParameterRefused if no call waits for it."""
        for at in range(len(self._turns) - 1, -1, -1):
            calls = self._turns[at].calls
            waiting = [number for number, call in enumerate(calls) if call.id == call_id and call.output is None]
            if waiting:
                answered = replace(calls[waiting[0]], output=output)
                calls = (*calls[: waiting[0]], answered, *calls[waiting[0] + 1 :])
                self._turns[at] = replace(self._turns[at], calls=calls)
                return
        raise ParameterRefused(
            f"`{self._param}` has a tool's result for {name_call(call_id)}, but no assistant's message before it has "
            "such a call without a result",
            self._param,
        )

    def turns(self) -> list[Turn]:
        """Raises ParameterRefused if a call has no result."""
        self._check_results()
        return list(self._turns)

    def _check_results(self) -> None:
        for turn in self._turns:
            for call in turn.calls:
                if call.output is None:
                    raise ParameterRefused(
                        f"`{self._param}` has no result for {name_call(call.id)}: each call needs one, before the next "
                        "message of the user",
                        self._param,
                    )


def name_call(call_id: str) -> str:
    printable = "".join(char for char in call_id if char.isprintable())[:64]
    return f"the call `{printable}`"
