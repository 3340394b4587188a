"""The choice among formats of weights in benchmarks.formats, its measurements on a tiny model, and the kernels."""

from __future__ import annotations

from pathlib import Path

import llama_cpp.llama_cpp as llama
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import formats
from benchmarks.formats import AT_ONCE, LOSS_LIMIT, SMALLEST_GAIN, TODAY, Measured, choose_format, explain_choice, gain
from core.model.hardware.placement import Placement
from core.model.hardware.processor import cpu_features
from core.model.worker.llama.loading import load_weights, silence_log, transcode
from tests.support.tiny_model import write_tiny_model

REPACKING = {"AVX2", "NEON dot product"}  # instruction sets with kernels for repacked Q4_0
OTHERS = ("BF16", "Q4_0", "IQ4_NL")


def measured(speed: float, loss: float) -> Measured:
    """Returns a format with one speed for everything."""
    return Measured(1, 1, 1, [speed], {count: [speed] for count in AT_ONCE}, {"en": loss / 2, "fr": loss})


speeds, losses = st.floats(1, 1000), st.floats(0, 1)
rivals = st.dictionaries(st.sampled_from(OTHERS), st.builds(measured, speeds, losses))


@given(st.builds(measured, speeds, st.floats(0, LOSS_LIMIT)), rivals)
def test_the_fastest_within_the_limit_is_chosen(today: Measured, others: dict[str, Measured]) -> None:
    """Today's format leaves for a gain above the noise only, and never for one that loses more than the limit."""
    found = {TODAY: today, **others}
    chosen = choose_format(found)
    within = [name for name, each in found.items() if max(each.loss.values()) <= LOSS_LIMIT]

    assert chosen in within
    assert chosen == TODAY or gain(found, chosen) > 1 + SMALLEST_GAIN
    assert max(gain(found, name) for name in within) <= gain(found, chosen) * (1 + SMALLEST_GAIN) * 1.0001


@pytest.mark.parametrize(
    ("rival", "words"),
    [
        (measured(200, 0.3), "Q8_0 stays: Q4_0 gains 2.00×, but loses 0.300 nats of 0.02"),
        (measured(101, 0.01), "Q8_0 stays: nothing within the limit"),
        (measured(200, 0.01), "Q4_0 is 2.00 times as fast as Q8_0"),
    ],
)
def test_the_reason_is_printed(rival: Measured, words: str) -> None:
    """It names the gain and the loss."""
    assert words in explain_choice({TODAY: measured(100, 0.0), "Q4_0": rival})


def test_formats_of_a_tiny_model_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each format has speeds and a loss; the reference loses nothing, eight bits lose less than four."""
    monkeypatch.setattr(formats, "PROMPT_TOKENS", 32)
    monkeypatch.setattr(formats, "CONTEXT_TOKENS", 16)
    found = formats.compare(write_tiny_model(tmp_path / "tiny.gguf"), ("F32", TODAY, "Q4_0"), rounds=1, tokens=24)

    assert {"en": 0.0, "fr": 0.0} == found["F32"].loss
    for language in formats.LANGUAGES:
        assert 0.0 < found[TODAY].loss[language] < found["Q4_0"].loss[language]
    assert all(each.request_s > 0 for each in found.values())
    assert found["Q4_0"].file_bytes < found[TODAY].file_bytes < found["F32"].file_bytes


@pytest.mark.skipif(not REPACKING & set(cpu_features()), reason="llama.cpp has no repacked kernels for this processor")
def test_weights_with_repacked_kernels_are_repacked(tmp_path: Path) -> None:
    """A mapped file does not keep llama.cpp from it: the weights are copied into its own order, or into AMX's tiles."""
    lines: list[str] = []

    @llama.llama_log_callback
    def record(_level: int, text: bytes, _user: object) -> None:
        lines.append(text.decode("utf-8", "replace"))

    file = tmp_path / "four-bits.gguf"
    transcode(write_tiny_model(tmp_path / "tiny.gguf"), file, 1, llama.LLAMA_FTYPE_MOSTLY_Q4_0)
    try:
        llama.llama_log_set(record, None)
        llama.llama_model_free(load_weights(file, Placement(256, "f16", None, 0)))
    finally:
        silence_log()

    assert any("CPU_REPACK" in line or "AMX model buffer" in line for line in lines)
