"""`python -m core.checker`: does a value conform to a schema? A question on stdin, a verdict on stdout.

{"schema": …, "value": …} → {"refused": why the schema cannot be held, or null, "problems": where the value fails}.
Nothing is ever fetched: the validator is offline, a remote `$ref` is refused. Formats are asserted; patterns run on an
engine of linear time. Limits of CPU and memory are for what these do not prevent (`core.conformance` says why).

Imports as little as it can, for it is started for each question.
"""

from __future__ import annotations

import json
import resource
import sys
from itertools import islice
from typing import Any

import jsonschema_rs

CPU_LIMIT_S = 2
MEMORY_LIMIT_BYTES = 1 << 30
PATTERN_LIMIT_BYTES = 10**6  # compiled
PROBLEMS_SHOWN = 5
SHOWN_CHARS = 200


def verdict(schema: Any, value: Any) -> dict[str, Any]:
    try:
        validator = jsonschema_rs.validator_for(
            schema,
            validate_formats=True,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_LIMIT_BYTES),
        )
        problems = list(islice(validator.iter_errors(value), PROBLEMS_SHOWN))
    except jsonschema_rs.ValidationError as exc:
        return refusal(f"at {pointer(exc.instance_path)}: {exc.message}")
    except ValueError as exc:
        return refusal(str(exc))
    # The value is the model's words, and problems end in logs: they say where and which keyword, not what.
    said = [f"{pointer(problem.instance_path)} fails `{problem.kind.name}`" for problem in problems]
    return {"refused": None, "problems": said}


def refusal(reason: str) -> dict[str, Any]:
    return {"refused": reason[:SHOWN_CHARS], "problems": []}


def pointer(path: list[str | int]) -> str:
    """A JSON pointer; the root is told as such."""
    return "".join(f"/{part}" for part in path)[:SHOWN_CHARS] or "the root"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    asked = json.load(sys.stdin)
    json.dump(verdict(asked["schema"], asked["value"]), sys.stdout)


if __name__ == "__main__":
    main()
