"""`python -m core.model.worker.measure FILE` measures a model: a trial as JSON on each line in, its timing out.

It is a process of its own because llama.cpp aborts where a driver fails. The first line describes the model.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import CspsError
from core.model.hardware.model_shape import can_quantize
from core.model.hardware.tuning_space import Trial
from core.model.worker.llama.loading import RunnerConfig, find_placements, find_room, find_shape
from core.model.worker.llama.measuring import SpeedMeter


def main(arguments: list[str]) -> int:
    path = Path(arguments[0])
    meter = SpeedMeter(path)
    try:
        answer(describe(path))
        for line in sys.stdin:
            request = json.loads(line)
            timing = meter.measure(Trial(**request["trial"]), request["parts"])
            answer({"refused": True} if timing is None else asdict(timing))
    except CspsError as exc:
        answer({"error": exc.message})
        return 2
    finally:
        meter.close()
    return 0


def describe(path: Path) -> dict[str, Any]:
    """Returns the layers that fit on GPUs, and whether the cache can be quantized: trials are made from them."""
    shape = find_shape(path)
    config = RunnerConfig(window=None, cache_tokens=None, sequences=1, threads=1)
    placement = next(iter(find_placements(shape, config, find_room())))
    return {"gpu_layers": placement.gpu_layers, "quantizes": can_quantize(shape)}


def answer(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
