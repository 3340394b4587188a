"""Measures the CPU time from a JSON Schema to the first mask of tokens, over real-world schemas, by stage.

The stages are those of a new schema: check against its metaschema, sizes and references, the validator's own build, the
plan, and the grammar with its first mask (for the starter's vocabulary, or LLM_MODEL_FILE's). A grammar that llguidance
refuses is relaxed as toil relaxes it; all its tries count. The child process that plans is started once; its start is
shown apart. `--hostile` compiles schemas that are made to be slow, and shows their CPU time and the memory they keep.

    .venv/bin/python -m benchmarks.schema_compile --data FOLDER [--hostile]
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import string
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.schemas import Case, read_cases
from core.configuration import settings
from core.contract import Json
from core.errors import CspsError, SchemaRefused
from core.model.worker.constrained.grammar import GrammarCompiler
from core.model.worker.llama.loading import RunnerConfig, load
from core.toil.schema.plan import RELAXATIONS_LIMIT, plan, relax
from core.toil.schema.prechecks import check_document
from core.toil.validator_pool import COMMAND
from core.toil.validator_process import build_validator, check_metaschema

STAGES = ("metaschema", "sizes and references", "validator", "plan", "grammar and first mask")
TARGET_MS = 20.0
HOSTILE_LIMIT_MS = 1000.0
HOSTILE_TOKENS = 200
Row = dict[str, float]  # milliseconds by stage


@contextmanager
def stage(row: Row, name: str) -> Iterator[None]:
    started = time.process_time()
    try:
        yield
    finally:
        row[name] = row.get(name, 0.0) + 1000 * (time.process_time() - started)


def compile_case(case: Case, grammars: GrammarCompiler) -> Row:
    row: Row = {}
    try:
        with stage(row, STAGES[0]):
            check_metaschema(case.schema)
        with stage(row, STAGES[1]):
            check_document(case.schema)
        with stage(row, STAGES[2]):
            build_validator(case.schema)
        with stage(row, STAGES[3]):
            enforced = plan(case.schema).enforced
    except SchemaRefused:
        return row
    with stage(row, STAGES[4]):
        compile_relaxed(enforced, grammars)
    return row


def compile_relaxed(enforced: Json, grammars: GrammarCompiler) -> None:
    """Compiles as toil does: a refused schema is relaxed step by step."""
    for _ in range(RELAXATIONS_LIMIT):
        try:
            grammars.matcher({} if enforced is True else enforced).allowed()  # type: ignore[arg-type]
        except SchemaRefused as refusal:
            enforced = relax(enforced, refusal.message)
        else:
            return


def child_start_ms() -> float:
    """Returns the CPU time of a child process that plans schemas, from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(COMMAND, stdin=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def show(rows: list[Row]) -> None:
    table = Table("stage", "p50", "p90", "p99", "max")
    columns: dict[str, Callable[[Row], float]] = {name: lambda row, name=name: row.get(name, 0.0) for name in STAGES}  # type: ignore[misc]
    for name, value in {**columns, "all": lambda row: sum(row.values())}.items():
        values = sorted(map(value, rows))
        cuts = [values[int(quantile * (len(values) - 1))] for quantile in (0.5, 0.9, 0.99, 1)]
        table.add_row(name, *(f"{cut:.2f}" for cut in cuts))
    Console().print(table)
    median = statistics.median(sum(row.values()) for row in rows)
    reached = "reached" if median <= TARGET_MS else "missed"
    print(f"{len(rows)} schemas, milliseconds of CPU time; target, {TARGET_MS:g} ms at the median: {reached}")


def hostile_schemas() -> dict[str, Any]:
    """Returns schemas, under the limits of the plan, that take long or much memory in one engine or another."""
    chance = random.Random(1)

    def word(length: int) -> str:
        return "".join(chance.choice(string.ascii_lowercase) for _ in range(length))

    texts, numbers = {"type": "string"}, {"type": "number"}
    return {
        "10,000 enum values": {"enum": [word(10) for _ in range(10_000)]},
        "2,000 properties": {"type": "object", "properties": {word(8): texts for _ in range(2000)}},
        "800 ranges of numbers": {
            "type": "object",
            "properties": {
                word(6): {**numbers, "minimum": -chance.random() * 1e9, "maximum": chance.random() * 1e9}
                for _ in range(800)
            },
        },
        "300 similar objects": {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {word(5): texts for _ in range(10)},
                    "additionalProperties": False,
                }
                for _ in range(300)
            ]
        },
        "600 formats": {
            "type": "object",
            "properties": {
                word(6): {**texts, "format": name}
                for name in ("date-time", "email", "uri", "ipv6", "hostname", "uuid")
                for _ in range(100)
            },
        },
        "nested repetition": {**texts, "pattern": "^((((a{1,1000}){1,1000}){1,1000}){1,1000})$"},
        "exponential states": {**texts, "pattern": "^.*a.{500}$"},
        "many exponential strings": {"type": "array", "minItems": 1000, "items": {**texts, "pattern": "^.*e.{30}$"}},
        "crossed patterns": {"allOf": [{**texts, "pattern": f"a.{{{n}}}b"} for n in range(1, 12)]},
        "multiple of a prime": {"type": "integer", "multipleOf": 999983, "minimum": 0, "maximum": 10**15},
        "product of choices": {
            "allOf": [
                {
                    "anyOf": [
                        {"type": "object", "properties": {f"k{n}": {"const": m}}, "required": [f"k{n}"]}
                        for m in range(4)
                    ]
                }
                for n in range(12)
            ]
        },
        "references in all directions": {
            "$ref": "#/$defs/n0",
            "$defs": {
                f"n{n}": {"anyOf": [{"$ref": f"#/$defs/n{m}"} for m in range(20) if m != n] + [{"type": "object"}]}
                for n in range(20)
            },
        },
    }


def show_hostile(grammars: GrammarCompiler) -> None:
    table = Table("schema", "compile, ms", "slowest token, ms", "tokens, ms in all", "memory kept, MB", "end")
    worst = 0.0
    for name, schema in hostile_schemas().items():
        before = resident_mb()
        compiled, tokens, end = write_hostile(grammars, schema)
        worst = max(worst, compiled, *tokens)
        table.add_row(
            name,
            f"{compiled:.0f}",
            f"{max(tokens):.1f}",
            f"{sum(tokens):.0f}",
            f"{max(resident_mb() - before, 0):.0f}",
            end,
        )
    Console(width=140).print(table)
    reached = "reached" if worst <= HOSTILE_LIMIT_MS else "missed"
    print(
        f"milliseconds of CPU time, {HOSTILE_TOKENS} random tokens; target, {HOSTILE_LIMIT_MS:g} ms at once: {reached}"
    )


def write_hostile(grammars: GrammarCompiler, schema: Any) -> tuple[float, list[float], str]:
    """Returns the milliseconds to compile, those of each random token, and the reason for the end."""
    chance, tokens, started = random.Random(2), [0.0], time.process_time()
    compiled = None
    try:
        matcher = grammars.matcher(schema)
        compiled = time.process_time() - started
        while not matcher.complete and len(tokens) < HOSTILE_TOKENS:
            started = time.process_time()
            allowed = np.flatnonzero(matcher.allowed())
            matcher.accept(int(chance.choice(allowed)))
            tokens.append(1000 * (time.process_time() - started))
    except CspsError as exc:
        compiled = time.process_time() - started if compiled is None else compiled
        return 1000 * compiled, tokens, exc.message[:60]
    return 1000 * compiled, tokens, "complete" if matcher.complete else "goes on"


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--hostile", action="store_true", help="also compile schemas that are made to be slow")
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    runner = load(find_model(settings.load()).path, RunnerConfig(window=256, cache_tokens=256, sequences=1, threads=1))
    started = time.process_time()
    grammars = GrammarCompiler(runner.vocabulary)
    tokenizer_ms = 1000 * (time.process_time() - started)
    show([compile_case(case, grammars) for case in read_cases(options.data)])
    print(f"once: the planning process {child_start_ms():.0f} ms, the vocabulary's tokenizer {tokenizer_ms:.0f} ms")
    if options.hostile:
        show_hostile(grammars)
    runner.close()


if __name__ == "__main__":
    main()
