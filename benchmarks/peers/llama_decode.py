"""Times `llama_decode` alone: no service, no sampling, no text.

`python -m benchmarks.peers.llama_decode MODEL WORK`, where WORK is JSON: {"sequences", "prefix", "own", "tokens"}. The
sequences share a prefix, which is computed before; then each computes its own tokens of a prompt, and decodes. Prints
the best of three runs as JSON: {"prefill_s", "decode_s"}.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from core.model.hardware.processor import choose_threads
from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.runner import BatchRow, LlamaRunner

RUNS = 3
CACHE_TOKENS = 16384
FIRST_TOKEN, TOKEN_RANGE = 100, 400  # ordinary tokens in every vocabulary


def tokens(start: int, count: int) -> list[int]:
    return [FIRST_TOKEN + (start + n) % TOKEN_RANGE for n in range(count)]


def decode_all(runner: LlamaRunner, rows: list[BatchRow]) -> None:
    """Decodes the rows in as few batches as they fit into, and waits for the last logits."""
    batch: list[BatchRow] = []
    room = runner.batch_tokens
    last = 0
    for row in rows:
        taken = 0
        while taken < len(row.tokens):
            count = min(room, len(row.tokens) - taken)
            ends = taken + count == len(row.tokens)
            batch.append(BatchRow(row.sequence, row.start + taken, row.tokens[taken : taken + count], ends))
            taken, room = taken + count, room - count
            if not room:
                last = runner.decode(batch)[-1]
                batch, room = [], runner.batch_tokens
    if batch:
        last = runner.decode(batch)[-1]
    runner.logits(last)


def run(runner: LlamaRunner, work: Mapping[str, int]) -> tuple[float, float]:
    runner.clear()
    sequences, depth = range(work["sequences"]), work["prefix"]
    if depth:
        decode_all(runner, [BatchRow(0, 0, tokens(0, depth), True)])
        for sequence in sequences[1:]:
            runner.fork(0, sequence, depth)
    started = time.perf_counter()
    decode_all(runner, [BatchRow(s, depth, tokens(s, work["own"]), True) for s in sequences])
    filled = time.perf_counter()
    depth += work["own"]
    for step in range(work["tokens"] - 1):
        decode_all(runner, [BatchRow(s, depth + step, tokens(s + step, 1), True) for s in sequences])
    return filled - started, time.perf_counter() - filled


def main(model: str, work: Mapping[str, int]) -> None:
    config = RunnerConfig(None, CACHE_TOKENS, 3 * work["sequences"] + 2, choose_threads())
    runner = load(Path(model), config)
    prefill, decode = zip(*(run(runner, work) for _ in range(RUNS)), strict=True)
    print(json.dumps({"prefill_s": min(prefill), "decode_s": min(decode)}))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
