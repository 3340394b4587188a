"""The arithmetic of sizes: by hand for a department, and the table of docs/scaling.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks.sizing import Assumptions, rows, size

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def test_the_size_of_a_department() -> None:
    """2,000 people × 4 conversations × 3 questions × 15 % ÷ 3,600 s × 2 = 2 answers a second."""
    found = size(2_000, Assumptions())

    assert 2.0 == found.answers_per_s
    assert (10, 2, 1) == (found.answers_at_once, found.web_processes, found.engines)


def test_more_people_need_more_processes() -> None:
    """50,000 people have 25 times the load of 2,000."""
    assumed = Assumptions(web_cpu_s=0.05, web_cores=0.5, engine_tokens_per_s=1000.0)

    found = size(50_000, assumed)

    assert (50.0, 5, 8) == (found.answers_per_s, found.web_processes, found.engines)


def test_the_page_has_the_table_that_is_printed() -> None:
    """With the figures that are measured last."""
    page = PAGE.read_text(encoding="utf-8")

    for row in rows(Assumptions()):
        assert f"| {' | '.join(row)} |" in page
