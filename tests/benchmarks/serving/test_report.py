"""Results as JSON, which tables and plots are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving import plots, report
from benchmarks.serving.machine import Load
from benchmarks.serving.measures import Measurement, Sample, Target
from benchmarks.serving.rounds import WorkloadRun
from benchmarks.serving.servers import OURS, THEIRS, Capacity


class StubWorkload:
    name = "chat"
    case_name = "clients"
    metrics = ("tokens_per_s", "first_words_s")
    cases = ("1", "16")
    capacity = Capacity()
    targets = (Target("tokens_per_s", "16", THEIRS, at_least=1.6), Target("first_words_s", "8", THEIRS, at_most=0.5))


def stub_run() -> WorkloadRun:
    samples = [
        Sample(turn, server, case, {"tokens_per_s": rate * int(case), "first_words_s": 0.5})
        for turn in (1, 2, 3)
        for server, rate in ((OURS, 20.0 + turn), (THEIRS, 10.0 + turn / 2))
        for case in StubWorkload.cases
    ]
    loads = [Load(0.5, 0.02)] * 3
    return WorkloadRun(StubWorkload(), Measurement(samples), loads, {THEIRS: "kv-unified"})  # type: ignore[arg-type]


def written(folder: Path) -> dict[str, Any]:
    content = report.to_json(stub_run(), {"processor": "a processor", "cores": 2}, {"csps-llm": "abc"})
    content_read: dict[str, Any] = json.loads(report.write(content, folder).read_text())
    return content_read


def test_results_hold_all_that_a_reader_needs(tmp_path: Path) -> None:
    """Machine, versions, load, settings, verdicts and every sample survive as JSON."""
    content = written(tmp_path)

    assert ("a processor", "abc") == (content["machine"]["processor"], content["versions"]["csps-llm"])
    assert [{"average": 0.5, "busy": 0.02}] * 3 == content["load_before_rounds"]
    assert {THEIRS: "kv-unified"} == content["settings"]
    assert [True, None] == [verdict["reached"] for verdict in content["targets"]]
    assert 2.0 == content["targets"][0]["median"]
    assert stub_run().measurement == report.read_samples(content)


def test_table_shows_every_server_and_only_verdicts_that_exist(capsys: Any) -> None:
    """A measure that is missing is neither reached nor missed."""
    report.print_run(stub_run())
    printed = capsys.readouterr().out

    assert OURS in printed
    assert "kv-unified" in printed
    assert "reached: tokens_per_s at 16 ≥ 1.6 × llama-server: 2.00 (2.00–2.00), against llama-server" in printed
    assert "first_words_s at 8" not in printed


def test_plot_has_a_line_for_each_server_in_order_of_clients(tmp_path: Path) -> None:
    """A line holds the median, the lowest and the highest round of each number of clients."""
    ours, theirs = plots.lines_of(report.read_samples(written(tmp_path)), "tokens_per_s")

    assert (OURS, [1, 16], [22, 352], [21, 336], [23, 368]) == (
        ours.server,
        ours.clients,
        ours.medians,
        ours.lows,
        ours.highs,
    )
    assert THEIRS == theirs.server


def test_plot_is_described_in_words(tmp_path: Path) -> None:
    """The alternative text says what a person sees at the largest number of clients."""
    text = plots.alternative_text("chat", report.read_samples(written(tmp_path)))

    assert text.endswith("At 16: csps-llm 352 tokens/s and 0.5 s; llama-server 176 tokens/s and 0.5 s")


def test_servers_are_told_apart_without_colours() -> None:
    """Each server has a colour and a marker of its own."""
    colours, markers, _ = zip(*plots.STYLES.values(), strict=True)

    assert len(plots.STYLES) == len(set(colours)) == len(set(markers))


def test_plot_is_a_small_file(tmp_path: Path) -> None:
    """An image for the README is drawn from JSON alone, and has less than 60 kB."""
    pytest.importorskip("matplotlib")
    path = tmp_path / "images" / "serving-chat.png"
    plots.draw("chat", written(tmp_path), path)

    assert b"\x89PNG" == path.read_bytes()[:4]
    assert path.stat().st_size < 60_000
