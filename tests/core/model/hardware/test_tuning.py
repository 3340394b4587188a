"""The file that keeps what `csps-llm tune` found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.model.hardware import tuning
from core.model.hardware.machine import Machine
from core.model.hardware.tuning import (
    TunedValues,
    TuningRecord,
    changed,
    find_record,
    forget_record,
    machine_key,
    make_record,
    model_key,
    read_records,
    write_record,
)

HERE = Machine(cores=4, memory_total_bytes=8 << 30, memory_available_bytes=4 << 30, processor="Test")
RECORD = TuningRecord("m.gguf 10", "here", TunedValues(threads=3, flash_attention=False, kv_type="q8_0"), 1.2, 5.0)


def test_a_record_is_found_by_model_and_machine(tmp_path: Path) -> None:
    """Others stay, and a new one replaces the old."""
    other = replace(RECORD, machine="there")
    for record in (RECORD, other, replace(RECORD, gain=1.5)):
        write_record(tmp_path, record)
    assert replace(RECORD, gain=1.5) == find_record(tmp_path, "m.gguf 10", "here")
    assert other == find_record(tmp_path, "m.gguf 10", "there")
    assert find_record(tmp_path, "m.gguf 11", "here") is None


def test_a_model_is_forgotten_on_every_machine(tmp_path: Path) -> None:
    """The answer tells whether there was anything."""
    write_record(tmp_path, RECORD)
    write_record(tmp_path, replace(RECORD, model="other"))
    assert forget_record(tmp_path, RECORD.model)
    assert not forget_record(tmp_path, RECORD.model)
    assert ["other"] == [record.model for record in read_records(tmp_path)]


@pytest.mark.parametrize(
    "values",
    [
        {"threads": 0},
        {"threads": True},
        {"threads": 10**9},
        {"ubatch": "512"},
        {"kv_type": "f32"},
        {"flash_attention": 1},
        {"gpu_layers": -1},
        [],
    ],
)
def test_values_that_were_never_written_are_left_out(tmp_path: Path, values: object) -> None:
    """Somebody edited the file, or another version wrote it. Other records count."""
    write_record(tmp_path, RECORD)
    file = tmp_path / tuning.FILE
    content = json.loads(file.read_text(encoding="utf-8"))
    content["records"].append({**content["records"][0], "model": "bad", "values": values})
    file.write_text(json.dumps(content), encoding="utf-8")
    assert [RECORD] == read_records(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"records": 1}', '{"records": [1]}', "\xff"])
def test_a_damaged_file_has_no_records(tmp_path: Path, content: str) -> None:
    """The model is loaded with the automatic choice."""
    (tmp_path / tuning.FILE).write_text(content, encoding="latin-1")
    assert [] == read_records(tmp_path)


def test_the_keys_change_with_what_was_measured(tmp_path: Path) -> None:
    """Another file, machine or build of the engine is another measurement."""
    file = tmp_path / "m.gguf"
    file.write_bytes(b"x" * 10)
    assert RECORD.model == model_key(file)
    assert machine_key(HERE) == machine_key(replace(HERE, memory_available_bytes=1, bandwidth_bytes_per_s=2.0))
    assert machine_key(HERE) != machine_key(replace(HERE, cores=2))
    assert machine_key(HERE) != machine_key(replace(HERE, engine_backends=frozenset({"cuda"})))


def test_only_changed_values_are_shown() -> None:
    """The others are the automatic choice."""
    assert {"threads": 3, "flash_attention": False, "kv_type": "q8_0"} == changed(RECORD.values)
    assert {} == changed(make_record("m", "here", TunedValues(), 1.0).values)
