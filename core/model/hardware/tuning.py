"""The settings that `csps-llm tune` found to be fastest, for a model file on a machine with one build of the engine.

The values are kept in the data folder. A worker uses them where no setting says otherwise.
"""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from core.model.hardware.machine import Machine
from core.model.hardware.model_shape import KvType
from core.runtime.atomic_files import write_atomically

FILE = "tuning.json"
ENGINE = "llama-cpp-python"
LIMITS = {"threads": 512, "threads_batch": 512, "ubatch": 8192, "gpu_layers": 10_000}


@dataclass(frozen=True, slots=True)
class TunedValues:
    """The fastest values. None: the automatic choice was not beaten."""

    threads: int | None = None
    threads_batch: int | None = None
    ubatch: int | None = None
    flash_attention: bool | None = None
    kv_type: KvType | None = None
    gpu_layers: int | None = None


@dataclass(frozen=True, slots=True)
class TuningRecord:
    """The values for one model on one machine. `gain`: the default's time divided by theirs."""

    model: str
    machine: str
    values: TunedValues
    gain: float
    tuned_at: float  # seconds since 1970


def model_key(file: Path) -> str:
    """Identifies a model file by its name and size: its place may change."""
    return f"{file.name} {file.stat().st_size}"


def machine_key(machine: Machine) -> str:
    """Identifies the machine with the build of the engine."""
    try:
        version = importlib.metadata.version(ENGINE)
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    return " ".join([machine.key, version, *sorted(machine.engine_backends)])


def read_records(data_folder: Path) -> list[TuningRecord]:
    """Returns all records; those that cannot be read are left out."""
    try:
        content = json.loads((data_folder / FILE).read_bytes())
        rows = content["records"]
        return [record for row in rows if (record := parse_record(row))]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def find_record(data_folder: Path, model: str, machine: str) -> TuningRecord | None:
    return next((each for each in read_records(data_folder) if (each.model, each.machine) == (model, machine)), None)


def write_record(data_folder: Path, record: TuningRecord) -> None:
    """Replaces the record of the same model and machine. Raises OSError."""
    others = [r for r in read_records(data_folder) if (r.model, r.machine) != (record.model, record.machine)]
    write_records(data_folder, [*others, record])


def forget_record(data_folder: Path, model: str) -> bool:
    """Removes the records of a model, for every machine; tells whether there was one. Raises OSError."""
    records = read_records(data_folder)
    kept = [record for record in records if record.model != model]
    if len(kept) < len(records):
        write_records(data_folder, kept)
    return len(kept) < len(records)


def write_records(data_folder: Path, records: list[TuningRecord]) -> None:
    content = json.dumps({"records": [asdict(record) for record in records]}, indent=1)
    write_atomically(data_folder / FILE, content.encode())


def parse_record(row: Any) -> TuningRecord | None:
    """Returns None for a row that this version would not write."""
    try:
        values = {field.name: row["values"].get(field.name) for field in fields(TunedValues)}
        if not all(is_allowed(name, value) for name, value in values.items()):
            return None
        return TuningRecord(
            str(row["model"]), str(row["machine"]), TunedValues(**values), float(row["gain"]), float(row["tuned_at"])
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def is_allowed(name: str, value: object) -> bool:
    if value is None:
        return True
    if name == "flash_attention":
        return isinstance(value, bool)
    if name == "kv_type":
        return value in get_args(KvType)
    lowest = 0 if name == "gpu_layers" else 1
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= LIMITS[name]


def make_record(model: str, machine: str, values: TunedValues, gain: float) -> TuningRecord:
    return TuningRecord(model, machine, values, round(gain, 3), round(time.time()))


def changed(values: TunedValues) -> Mapping[str, object]:
    """Returns the values that differ from the automatic choice."""
    return {name: value for name, value in asdict(values).items() if value is not None}
