"""The processes, engines and memory that a number of people needs: arithmetic over measured figures.

The assumptions and the figures are the fields below; docs/scaling.md says where each comes from.

    .venv/bin/python -m benchmarks.sizing [--tokens-per-s 2400]
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

PEOPLE = (50, 500, 2_000, 10_000, 50_000)


@dataclass(frozen=True)
class Assumptions:
    """How people use the service, and what was measured of it.

    `engine_tokens_per_s`: what one engine writes for all its answers together. `web_cpu_s`: processor time of the web
    process for an answer of `tokens`. `database_s`: of PostgreSQL's statements for an answer.
    """

    conversations_a_day: float = 4.0
    questions: float = 3.0  # of a conversation
    busiest_hour: float = 0.15  # of the day's questions
    tokens: float = 150.0  # of an answer
    answer_s: float = 5.0
    peak_factor: float = 2.0  # room for minutes that are busier than their hour
    web_cpu_s: float = 0.09
    web_cores: float = 0.7  # of one process, which has one thread for its event loop
    engine_tokens_per_s: float = 1500.0
    database_s: float = 0.008
    kib_a_turn: float = 3.0
    keep_days: float = 30.0


@dataclass(frozen=True)
class Size:
    people: int
    answers_per_s: float  # at the peak
    answers_at_once: int
    web_processes: int
    engines: int
    database_cores: float
    database_gib: float


def size(people: int, assumed: Assumptions) -> Size:
    """The size at the peak: twice the average of the busiest hour. Two web processes at least, for restarts."""
    a_day = people * assumed.conversations_a_day * assumed.questions
    rate = a_day * assumed.busiest_hour / 3600 * assumed.peak_factor
    return Size(
        people,
        rate,
        math.ceil(rate * assumed.answer_s),
        max(2, math.ceil(rate * assumed.web_cpu_s / assumed.web_cores)),
        max(1, math.ceil(rate * assumed.tokens / assumed.engine_tokens_per_s)),
        rate * assumed.database_s,
        a_day * assumed.keep_days * assumed.kib_a_turn / 2**20,
    )


def rows(assumed: Assumptions) -> list[tuple[str, ...]]:
    return [
        (
            f"{each.people:,}",
            f"{each.answers_per_s:.1f}",
            str(each.answers_at_once),
            str(each.web_processes),
            str(each.engines),
            f"{each.database_cores:.2f}",
            f"{each.database_gib:.1f}",
        )
        for each in (size(people, assumed) for people in PEOPLE)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Assumptions()
    parser.add_argument("--tokens-per-s", type=float, default=default.engine_tokens_per_s, help="of one engine")
    parser.add_argument("--conversations", type=float, default=default.conversations_a_day, help="of a person a day")
    options = parser.parse_args()
    assumed = Assumptions(conversations_a_day=options.conversations, engine_tokens_per_s=options.tokens_per_s)
    table = Table(*("people", "answers/s", "at once", "web", "engines", "database cores", "database GiB"))
    for row in rows(assumed):
        table.add_row(*row)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
