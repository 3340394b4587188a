"""The tools of OpenAI's requests: definitions, choice, and the calls and results of the caller's history.

Takes both forms: Chat Completions put a function under `function`, the Responses API beside `type`. Only functions are
served. Refusals name the place and the remedy, and quote no description and no arguments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from core.contract import Json, Tool, Toolbox, ToolCall
from core.errors import ParameterRefused

TOOLS_LIMIT = 128  # as OpenAI's
CALLS_LIMIT = 128  # of one message
DESCRIPTION_LIMIT_CHARS = 16_384
ARGUMENTS_LIMIT_CHARS = 2**20
ID_LIMIT_CHARS = 256
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
MODES = ("none", "auto", "required")
Fields = Mapping[str, Any]


def build_toolbox(tools: object, choice: object = None, parallel: bool | None = None) -> Toolbox | None:
    """The tools that the model may call; None if it may call none. Raises ParameterRefused with the wrong place."""
    allowed = read_tools(tools)
    mode, names = read_choice(choice, allowed)
    if names is not None:
        allowed = tuple(tool for tool in allowed if tool.name in names)
    if mode == "required" and not allowed:
        raise ParameterRefused("`tool_choice` requires a call, but `tools` has no function", "tool_choice")
    if mode == "none" or not allowed:
        return None
    is_named = isinstance(choice, dict) and choice.get("type") == "function"  # which means one call of it
    return Toolbox(allowed, required=mode == "required", parallel=parallel is not False and not is_named)


# --- definitions -----------------------------------------------------------------------------------------------------


def read_tools(tools: object) -> tuple[Tool, ...]:
    if tools is None:
        return ()
    if not isinstance(tools, list):
        raise ParameterRefused("`tools` must be a list", "tools")
    if len(tools) > TOOLS_LIMIT:
        raise ParameterRefused(f"`tools` has {len(tools)} entries; the limit is {TOOLS_LIMIT}", "tools")
    read = tuple(read_tool(each, f"tools[{number}]") for number, each in enumerate(tools))
    seen: set[str] = set()
    for number, tool in enumerate(read):
        if tool.name in seen:
            refuse(f"tools[{number}]", f"there is another function named `{tool.name}`; names must differ")
        seen.add(tool.name)
    return read


def read_tool(entry: object, place: str) -> Tool:
    function, place = function_of(entry, place)
    description = function.get("description")
    if not isinstance(description, str | None):
        refuse(f"{place}.description", "must be a text")
    if description and len(description) > DESCRIPTION_LIMIT_CHARS:
        refuse(f"{place}.description", f"has more than {DESCRIPTION_LIMIT_CHARS} characters; shorten it")
    if not isinstance(function.get("strict"), bool | None):
        refuse(f"{place}.strict", "must be true or false; arguments are held to their schema either way")
    return Tool(
        read_name(function.get("name"), f"{place}.name"),
        description or "",
        read_parameters(function.get("parameters"), f"{place}.parameters"),
    )


def function_of(entry: object, place: str) -> tuple[Fields, str]:
    """The fields of a function in either form, and their place."""
    kind = entry.get("type") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(kind, str):
        refuse(place, 'must be an object with the `type` "function"')
    if kind != "function":
        refuse(f"{place}.type", f"`{kind[:64]}` is not supported; only tools of type `function` are")
    if "function" not in entry:
        return entry, place
    function = entry["function"]
    if not isinstance(function, dict):
        refuse(f"{place}.function", "must be an object")
    return function, f"{place}.function"


def read_name(name: object, place: str) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        refuse(place, "must be a text of 1 to 64 letters, digits, `_` and `-`, without accents and blanks")
    return name


def read_parameters(parameters: object, place: str) -> Mapping[str, Json] | None:
    """The schema of an object; None: no arguments. The schema's own keywords are checked when it is planned."""
    if parameters is None or parameters == {}:
        return None
    if parameters is True:
        return {"type": "object", "additionalProperties": True}
    if not isinstance(parameters, dict):
        refuse(place, "must be a JSON Schema of an object; leave it out for a function without arguments")
    if parameters.get("type", "object") != "object":
        refuse(f"{place}.type", "must be `object`: arguments have names")
    return parameters


# --- choice ----------------------------------------------------------------------------------------------------------


def read_choice(choice: object, tools: tuple[Tool, ...]) -> tuple[str, set[str] | None]:
    """The mode, and the names of the tools that may be called; None: all of them."""
    if choice is None:
        return "auto", None
    if isinstance(choice, str):
        if choice not in MODES:
            refuse("tool_choice", f"must be {', '.join(f'`{mode}`' for mode in MODES)} or an object")
        return choice, None
    if not isinstance(choice, dict):
        refuse("tool_choice", "must be a text or an object")
    if choice.get("type") == "allowed_tools":
        return read_allowed(choice, tools)
    function, place = function_of(choice, "tool_choice")
    return "required", {known_name(function, f"{place}.name", tools)}


def read_allowed(choice: Fields, tools: tuple[Tool, ...]) -> tuple[str, set[str]]:
    nested = choice.get("allowed_tools")
    fields, place = (nested, "tool_choice.allowed_tools") if isinstance(nested, dict) else (choice, "tool_choice")
    mode, entries = fields.get("mode"), fields.get("tools")
    if mode not in ("auto", "required"):
        refuse(f"{place}.mode", "must be `auto` or `required`")
    if not isinstance(entries, list) or not 0 < len(entries) <= TOOLS_LIMIT:
        refuse(f"{place}.tools", f"must be a list of 1 to {TOOLS_LIMIT} functions of `tools`")
    functions = [function_of(entry, f"{place}.tools[{number}]") for number, entry in enumerate(entries)]
    return mode, {known_name(function, f"{at}.name", tools) for function, at in functions}


def known_name(function: Fields, place: str, tools: tuple[Tool, ...]) -> str:
    name = read_name(function.get("name"), place)
    if name not in {tool.name for tool in tools}:
        refuse(place, f"`tools` has no function `{name}`")
    return name


# --- calls of the history --------------------------------------------------------------------------------------------


def read_calls(calls: object) -> tuple[ToolCall, ...]:
    """The `tool_calls` of an assistant's message, without outputs. Raises ValueError with the place in the message."""
    if calls is None:
        return ()
    if not isinstance(calls, list) or len(calls) > CALLS_LIMIT:
        raise ValueError(f"must be a list of at most {CALLS_LIMIT} calls")
    return tuple(read_call(call, number) for number, call in enumerate(calls))


def read_call(call: object, number: int) -> ToolCall:
    kind = call.get("type") or "function" if isinstance(call, dict) else None
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or kind != "function" or not isinstance(function, dict):
        raise ValueError(f"call {number} must have the type `function`, and `function` with name and arguments")
    return build_call(call.get("id"), function.get("name"), function.get("arguments"), f"call {number}")


def build_call(call_id: object, name: object, arguments: object, place: str, id_key: str = "id") -> ToolCall:
    """Arguments may be any text: another model may have written them. Raises ValueError."""
    if isinstance(arguments, dict):  # as Ollama's own API writes them
        arguments = json.dumps(arguments, ensure_ascii=False)
    if not isinstance(call_id, str) or len(call_id) > ID_LIMIT_CHARS:
        raise ValueError(f"{place} must have `{id_key}`, a text of at most {ID_LIMIT_CHARS} characters")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{place} must name a function with 1 to 64 letters, digits, `_` and `-`")
    if not isinstance(arguments, str | None) or len(arguments or "") > ARGUMENTS_LIMIT_CHARS:
        raise ValueError(f"{place} must have `arguments`, a JSON text of at most {ARGUMENTS_LIMIT_CHARS} characters")
    return ToolCall(call_id, name, arguments or "{}")


def refuse(place: str, reason: str) -> NoReturn:
    """Raises ParameterRefused. `place`: "tools[1].function.name"; its first part is the parameter."""
    raise ParameterRefused(f"`{place}`: {reason}", place.partition("[")[0].partition(".")[0])
