"""The CPU time of delivery: for each streamed edit of a long answer, and for splitting hostile text.

There is no platform and no pause between edits: every 30 tokens cause one edit. The limits are those of the platforms;
the text has prose, lists, tables and code.

    .venv/bin/python -m benchmarks.delivery [--chars 10000] [--runs 7]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncGenerator

from rich.console import Console
from rich.table import Table

from bindings.delivery.context import DeliveryOptions, DeliveryOutcome
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import Outlet, Page, PageLimits, PostedPage, Upload
from bindings.delivery.splitting import split_pages
from core.contract import Done, Event, Text, Usage

TOKEN_CHARS = 4
TOKENS_AN_EDIT = 30
LIMITS = {"Discord": 2_000, "Slack": 12_000, "Teams": 25_000}
ANSWER = """## How to request leave

Request leave in the portal, at least **two weeks** in advance. Your manager gets it, and answers within five days.
Without an answer, [the guide](https://example.org/guide) lists contacts; silence does *not* grant the request.

1. Open the portal and choose `Leave`.
   - The kind of leave decides which form follows.
   - You can save a form and continue it later.
2. Fill in the form, and send it.

| Kind | Days | Request |
|---|---|---|
| Annual | 20 | two weeks ahead |
| Sick | 15 | on the day |

```python
def days_left(granted: int, taken: list[int]) -> int:
    return granted - sum(taken)
```

"""
BOMBS = {"fences": "```\n", "brackets": "[", "one word": "a", "tables": "|\n|-\n", "quotes": "> ```\n"}


class NullOutlet(Outlet):
    """An outlet that only measures the text, without rendering."""

    ai_label = False

    def __init__(self, page_chars: int) -> None:
        self.limits = PageLimits(page_chars, edit_interval_s=0.0)

    def length(self, page: Page) -> int:
        return len(page.text) + (100 if page.closing else 0)

    async def post(self, page: Page, nonce: str) -> str:
        return nonce

    async def edit(self, ref: str, page: Page) -> None:
        pass

    async def find(self, nonce: str) -> str | None:
        return None

    async def delete(self, ref: str) -> None:
        pass

    async def upload(self, upload: Upload, nonce: str) -> bool:
        return False


class MemoryLedger:
    """A ledger in memory."""

    def __init__(self) -> None:
        self.form = ""
        self.refs: list[str] = []
        self.leftovers: list[PostedPage] = []
        self.resumed = False

    async def add(self, ref: str) -> None:
        self.refs.append(ref)

    async def discard(self, ref: str) -> None:
        self.refs.remove(ref)

    async def change_form(self, form: str) -> None:
        self.form, self.refs = form, []

    async def forget_leftover(self, page: PostedPage) -> None:
        self.leftovers.remove(page)


def build_answer(chars: int) -> str:
    return "".join(itertools.islice(itertools.cycle(ANSWER), chars))


async def tokens(text: str) -> AsyncGenerator[Event, None]:
    for number, start in enumerate(range(0, len(text), TOKEN_CHARS), start=1):
        yield Text(text[start : start + TOKEN_CHARS])
        if number % TOKENS_AN_EDIT == 0:
            for _ in range(5):  # an edit takes 5 turns of the event loop
                await asyncio.sleep(0)
    yield Done("stop", "benchmark", Usage())


def measure_edits_ms(text: str, page_chars: int) -> tuple[float, DeliveryOutcome]:
    """The CPU time of each post and edit."""
    outlet = NullOutlet(page_chars)
    begun_s = time.process_time()
    outcome = asyncio.run(deliver(tokens(text), outlet, MemoryLedger(), DeliveryOptions("en", "benchmark")))
    return 1000 * (time.process_time() - begun_s) / (outcome.edits + outcome.posts), outcome


def measure_split_ms(text: str, page_chars: int) -> float:
    begun_s = time.process_time()
    split_pages(text, len, page_chars)
    return 1000 * (time.process_time() - begun_s)


def show_edits(chars: int, runs: int) -> None:
    table = Table("CPU ms for each edit", *LIMITS)
    text = build_answer(chars)
    timed = {name: [measure_edits_ms(text, limit) for _ in range(runs)] for name, limit in LIMITS.items()}
    table.add_row("median", *(f"{statistics.median(ms for ms, _ in each):.2f}" for each in timed.values()))
    table.add_row("worst run", *(f"{max(ms for ms, _ in each):.2f}" for each in timed.values()))
    table.add_row("posts and edits", *(str(each[0][1].posts + each[0][1].edits) for each in timed.values()))
    Console(width=110).print(table)


def show_bombs(runs: int) -> None:
    table = Table("CPU ms to split 100,000 characters, median", *LIMITS)
    for name, bomb in BOMBS.items():
        text = bomb * (100_000 // len(bomb))
        figures = [statistics.median(measure_split_ms(text, limit) for _ in range(runs)) for limit in LIMITS.values()]
        table.add_row(name, *(f"{figure:.0f}" for figure in figures))
    Console(width=110).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chars", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    show_edits(options.chars, options.runs)
    show_bombs(min(options.runs, 3))


if __name__ == "__main__":
    main()
