"""What delivery costs by itself: CPU time for each streamed edit of a long answer, and for cutting hostile text.

No platform and no pause between edits: each lot of tokens is an edit, and all that is measured is ours. The limits are
those of the platforms; the text is prose, lists, tables and code.

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
from bindings.delivery.outlet import Page, PageLimits, Upload
from bindings.delivery.splitting import split_pages
from core.contract import Done, Event, Text, Usage

TOKEN_CHARS = 4
TOKENS_AN_EDIT = 30
LIMITS = {"Discord": 2_000, "Slack": 12_000, "Teams": 25_000}
ANSWER = """## How to ask for leave

Leave is asked for in the portal, at least **two weeks** before. Your manager is told, and answers within five days.
If nobody answers, [the guide](https://example.org/guide) says whom to ask; *nothing* is granted by silence.

1. Open the portal and choose `Leave`.
   - The kind of leave decides which form follows.
   - What was begun can be gone on with later.
2. Fill in the form, and send it.

| Kind | Days | Asked for |
|---|---|---|
| Annual | 20 | two weeks before |
| Sick | 15 | on the day |

```python
def days_left(granted: int, taken: list[int]) -> int:
    return granted - sum(taken)
```

"""
BOMBS = {"fences": "```\n", "brackets": "[", "one word": "a", "tables": "|\n|-\n", "quotes": "> ```\n"}


class Nowhere:
    """An outlet that only measures; what rendering costs is the adapters' to say."""

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


class Forgetful:
    """A ledger that costs nothing."""

    def __init__(self) -> None:
        self.refs: list[str] = []
        self.resumed = False

    async def add(self, ref: str) -> None:
        self.refs.append(ref)

    async def remove(self, ref: str) -> None:
        self.refs.remove(ref)


def answer_of(chars: int) -> str:
    return "".join(itertools.islice(itertools.cycle(ANSWER), chars))


async def tokens(text: str) -> AsyncGenerator[Event, None]:
    for number, start in enumerate(range(0, len(text), TOKEN_CHARS), start=1):
        yield Text(text[start : start + TOKEN_CHARS])
        if number % TOKENS_AN_EDIT == 0:
            for _ in range(5):  # as many turns of the loop as an edit takes
                await asyncio.sleep(0)
    yield Done("stop", "benchmark", Usage())


def edit_ms(text: str, page_chars: int) -> tuple[float, DeliveryOutcome]:
    """CPU time for each post and edit."""
    outlet = Nowhere(page_chars)
    begun_s = time.process_time()
    outcome = asyncio.run(deliver(tokens(text), outlet, Forgetful(), DeliveryOptions("en", "benchmark")))
    return 1000 * (time.process_time() - begun_s) / (outcome.edits + outcome.posts), outcome


def cut_ms(text: str, page_chars: int) -> float:
    begun_s = time.process_time()
    split_pages(text, len, page_chars)
    return 1000 * (time.process_time() - begun_s)


def show_edits(chars: int, runs: int) -> None:
    table = Table("CPU ms for each edit", *LIMITS)
    text = answer_of(chars)
    timed = {name: [edit_ms(text, limit) for _ in range(runs)] for name, limit in LIMITS.items()}
    table.add_row("median", *(f"{statistics.median(ms for ms, _ in each):.2f}" for each in timed.values()))
    table.add_row("worst run", *(f"{max(ms for ms, _ in each):.2f}" for each in timed.values()))
    table.add_row("posts and edits", *(str(each[0][1].posts + each[0][1].edits) for each in timed.values()))
    Console(width=110).print(table)


def show_bombs(runs: int) -> None:
    table = Table("CPU ms to cut 100,000 characters, median", *LIMITS)
    for name, bomb in BOMBS.items():
        text = bomb * (100_000 // len(bomb))
        figures = [statistics.median(cut_ms(text, limit) for _ in range(runs)) for limit in LIMITS.values()]
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
