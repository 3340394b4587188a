"""Our kernels of llama.cpp (core/install/patches) compute what llama.cpp's own operations compute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import llama_cpp.llama_cpp as llama
import numpy as np
import pytest
from numpy.typing import NDArray

from core.model.worker.llama.loading import RunnerConfig, load, probe, transcode
from core.model.worker.llama.runner import BatchRow, KvCacheFull, LlamaRunner

CONFIG = RunnerConfig(window=256, cache_tokens=2048, sequences=40, threads=2)
SHARED = 70  # more than a tile of 64 cells
Logits = list[NDArray[np.float32]]


@contextmanager
def loaded(path: Path, *, flash_attention: bool) -> Iterator[LlamaRunner]:
    runner = load(path, replace(CONFIG, flash_attention=flash_attention))
    try:
        yield runner
    finally:
        runner.close()


@pytest.fixture(scope="module")
def floats(tiny_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("floats") / "tiny-F32.gguf"
    transcode(tiny_file, target, 1, llama.LLAMA_FTYPE_ALL_F32)
    return target


def random_tokens(seed: int, count: int) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(262, 350, count).astype(np.int32)


def compute(runner: LlamaRunner, rows: list[BatchRow]) -> Logits:
    return [runner.logits(index).copy() for index in runner.decode(rows)]


def prompts_of_one_cache(runner: LlamaRunner) -> Logits:
    """Twelve sequences after a shared beginning, whose own tokens end at different places in a tile."""
    compute(runner, [BatchRow(0, 0, random_tokens(0, SHARED), True)])
    for sequence in range(1, 12):
        runner.fork(0, sequence, SHARED)
    return [
        logits
        for sequence in range(12)
        for logits in compute(runner, [BatchRow(sequence, SHARED, random_tokens(sequence, 1 + 7 * sequence), True)])
    ]


def a_token_for_each(runner: LlamaRunner, step: int = 0, count: int = 12) -> list[BatchRow]:
    return [BatchRow(s, SHARED + 1 + 7 * s + step, random_tokens(100 + s + step, 1), True) for s in range(count)]


def answers(runner: LlamaRunner) -> Logits:
    prompts_of_one_cache(runner)
    return [*compute(runner, a_token_for_each(runner)), *compute(runner, a_token_for_each(runner, 1, 3))]


def one_answer(runner: LlamaRunner) -> Logits:
    """One row alone, beside the cells of eleven other sequences."""
    prompts_of_one_cache(runner)
    return compute(runner, a_token_for_each(runner, 0, 1))


def answers_and_a_prompt(runner: LlamaRunner) -> Logits:
    prompts_of_one_cache(runner)
    return compute(runner, [*a_token_for_each(runner), BatchRow(15, 0, random_tokens(15, 90), True)])


@pytest.mark.parametrize("scene", [prompts_of_one_cache, answers, one_answer, answers_and_a_prompt])
def test_attention_equals_softmax_and_products(floats: Path, scene: Callable[[LlamaRunner], Logits]) -> None:
    """No sequence sees a cell of another one, whatever rows a batch and whatever cells a tile has."""
    with loaded(floats, flash_attention=True) as runner:
        ours = scene(runner)
    with loaded(floats, flash_attention=False) as runner:
        plain = scene(runner)

    for mine, expected in zip(ours, plain, strict=True):
        np.testing.assert_allclose(mine, expected, atol=0.02 * float(np.ptp(expected)))


@pytest.mark.parametrize("threads", [1, 3, 4])
def test_a_row_is_the_sum_of_the_threads_shares(floats: Path, threads: int) -> None:
    """Also where a thread finds no cell that the row sees."""
    results = []
    for flash_attention in (True, False):
        runner = load(floats, replace(CONFIG, flash_attention=flash_attention, threads=threads))
        try:
            results.append(one_answer(runner))
        finally:
            runner.close()

    np.testing.assert_allclose(results[0], results[1], atol=0.02 * float(np.ptp(results[1])))


@pytest.mark.parametrize("kv_type", ["q8_0"])
def test_attention_reads_a_quantized_cache(floats: Path, kv_type: str) -> None:
    """Keys and values of eight bits give nearly the same."""
    with loaded(floats, flash_attention=True) as runner:
        exact = answers_and_a_prompt(runner)
    runner = load(floats, replace(CONFIG, flash_attention=True, kv_type=kv_type))  # type: ignore[arg-type]
    try:
        quantized = answers_and_a_prompt(runner)
    finally:
        runner.close()

    for mine, expected in zip(quantized, exact, strict=True):
        assert np.corrcoef(mine, expected)[0, 1] > 0.98


def test_every_cell_of_the_cache_can_be_used(tiny_file: Path) -> None:
    """Sequences have cells side by side while there is room; then they share what is left, down to the last cell."""
    with loaded(tiny_file, flash_attention=True) as runner:
        cells = runner.cache_tokens
        count = 36
        for sequence in range(count):
            runner.decode([BatchRow(sequence, 0, random_tokens(sequence, 3), True)])
        steps = cells // count - 3
        for step in range(steps):
            runner.decode([BatchRow(s, 3 + step, random_tokens(s + step, 1), True) for s in range(count)])
        left = cells - count * (3 + steps)
        runner.decode([BatchRow(0, 3 + steps, random_tokens(0, left), True)])

        with pytest.raises(KvCacheFull):
            runner.decode([BatchRow(1, 3 + steps, random_tokens(1, 1), True)])


def test_cells_of_dropped_tokens_are_used_again(floats: Path) -> None:
    """A sequence that loses its last tokens, or all of them, goes on as if they had never been there."""
    with loaded(floats, flash_attention=True) as runner:
        expected = answers(runner)
        runner.clear()
        prompts_of_one_cache(runner)
        compute(runner, [BatchRow(s, SHARED + 1 + 7 * s, random_tokens(7, 9), True) for s in range(12)])
        for sequence in range(12):
            runner.drop(sequence, SHARED + 1 + 7 * sequence)
        found = [*compute(runner, a_token_for_each(runner)), *compute(runner, a_token_for_each(runner, 1, 3))]

    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 16])
def test_products_of_eight_bits_do_not_depend_on_the_batch(tiny_file: Path, tmp_path: Path, count: int) -> None:
    """One row and rows by four are computed by different kernels, which agree up to rounding."""
    quantized = tmp_path / "tiny-Q8_0.gguf"
    transcode(tiny_file, quantized, 1)
    token = random_tokens(1, 1)
    with loaded(quantized, flash_attention=True) as runner:
        alone = compute(runner, [BatchRow(0, 0, token, True)])[0]
        runner.clear()
        together = compute(runner, [BatchRow(sequence, 0, token, True) for sequence in range(count)])

    for logits in together:
        np.testing.assert_allclose(logits, alone, atol=0.01 * float(np.ptp(alone)))


def test_products_of_eight_bits_equal_those_of_floats(tiny_file: Path, floats: Path, tmp_path: Path) -> None:
    """Both signs, every place in a block, and rows of each kernel: the weights are those of the file."""
    quantized, back = tmp_path / "tiny-Q8_0.gguf", tmp_path / "tiny-back.gguf"
    transcode(floats, quantized, 1)
    transcode(quantized, back, 1, llama.LLAMA_FTYPE_ALL_F32)
    results = []
    for path in (quantized, back):
        with loaded(path, flash_attention=True) as runner:
            results.append(answers_and_a_prompt(runner))

    for mine, expected in zip(*results, strict=True):
        assert np.corrcoef(mine, expected)[0, 1] > 0.99


def test_the_engine_has_our_kernels() -> None:
    """`make install` applied the patch. Where this fails, run it again: the installed llama.cpp is another one."""
    assert "CSPS_LLM_KERNELS = 1" in probe()["system"]
