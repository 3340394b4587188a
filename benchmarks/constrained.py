"""Compares text under a schema with free text: tokens/s at 1, 8 and 16 sequences, and the cost of a schema per token.

    .venv/bin/python -m benchmarks.constrained [--clients 1,8,16] [--rounds 5] [--tokens 96]

One model process serves both, in turn within each round; the table shows medians over the rounds. The cost per token
comes from the model process's own histogram.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import time

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.serving import KEY, Server, commands, free_port, running_server
from core.configuration import settings

SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 60},
        "kind": {"enum": ["note", "letter", "report"]},
        "pages": {"type": "integer", "minimum": 1, "maximum": 99},
        "points": {"type": "array", "items": {"type": "string", "maxLength": 120}, "minItems": 3, "maxItems": 6},
        "summary": {"type": "string", "maxLength": 400},
    },
    "required": ["title", "kind", "pages", "points", "summary"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "document", "schema": SCHEMA}}
QUANTILE = 0.5


async def ask(client: httpx.AsyncClient, number: int, tokens: int, constrained: bool) -> int:
    body = {
        "messages": [{"role": "user", "content": f"Describe document number {number} about snow, at length."}],
        "max_tokens": tokens,
        "temperature": 0.7,
        "seed": number,
        **({"response_format": FORMAT} if constrained else {}),
    }
    response = await client.post("/v1/chat/completions", json=body)
    response.raise_for_status()
    return int(response.json()["usage"]["completion_tokens"])


async def rate(client: httpx.AsyncClient, clients: int, first: int, tokens: int, constrained: bool) -> float:
    started = time.perf_counter()
    counts = await asyncio.gather(*(ask(client, first + i, tokens, constrained) for i in range(clients)))
    return sum(counts) / (time.perf_counter() - started)


async def compare(
    server: Server, clients: list[int], rounds: int, tokens: int
) -> tuple[dict[int, list[list[float]]], float]:
    results: dict[int, list[list[float]]] = {count: [[], []] for count in clients}
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=600) as client:
        for constrained in (False, True):
            await ask(client, 0, 8, constrained)
        for turn in range(rounds):
            for count in clients:
                for constrained in (False, True) if turn % 2 else (True, False):
                    tokens_per_s = await rate(client, count, 100 * turn, tokens, constrained)
                    results[count][constrained].append(tokens_per_s)
        return results, median_cost_ms((await client.get("/metrics")).text)


def median_cost_ms(exposition: str) -> float:
    """Returns the upper edge of the histogram bucket that holds the median, in milliseconds."""
    pattern = r'csps_model_constrained_choice_seconds_bucket\{le="([^"]+)",model="[^"]*"\} ([0-9.]+)'
    buckets = [(float(edge), float(count)) for edge, count in re.findall(pattern, exposition)]
    total = buckets[-1][1]
    return 1000 * next(edge for edge, count in buckets if count >= QUANTILE * total)


async def run(clients: list[int], rounds: int, tokens: int) -> tuple[dict[int, list[list[float]]], float]:
    model = find_model(settings.load()).path
    port = free_port()
    name, command, environment = commands(model, max(clients))[0]
    variables = {key: value.replace("PORT", str(port)) for key, value in environment.items()}
    async with running_server(name, command, port, variables) as server:
        return await compare(server, clients, rounds, tokens)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="1,8,16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=96)
    options = parser.parse_args()
    clients = [int(part) for part in options.clients.split(",")]
    results, cost_ms = asyncio.run(run(clients, options.rounds, options.tokens))
    table = Table("sequences", "free text, tokens/s", "under a schema, tokens/s", "ratio (median of rounds)")
    for count, (free, schema) in results.items():
        ratio = statistics.median(c / f for f, c in zip(free, schema, strict=True))
        table.add_row(str(count), f"{statistics.median(free):.0f}", f"{statistics.median(schema):.0f}", f"{ratio:.2f}")
    Console().print(table)
    print(f"sampling a token under the schema: at most {cost_ms:g} ms at the median")


if __name__ == "__main__":
    main()
