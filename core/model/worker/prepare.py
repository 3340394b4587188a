"""`python -m core.model.worker.prepare` prepares the starter; `--probe` reports what llama.cpp can do here.

`--plan OPTIONS` reports how a worker with these options would load its model. `--transcode SOURCE TARGET` writes a file
as Q8_0.

It downloads nothing: the model host does, while the starter answers.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.configuration import settings
from core.configuration.settings import Settings
from core.errors import ConfigError, CspsError
from core.model.hardware.processor import choose_threads
from core.model.hardware.tuning import TunedValues
from core.model.library.gguf_file import ModelFile
from core.model.library.selection import models_folder
from core.model.library.starter import find_starter
from core.model.worker.llama.loading import plan_placement, probe, transcode
from core.model.worker.options import WorkerOptions
from core.model.worker.runner_config import find_tuned, runner_config


def main(arguments: list[str]) -> int:
    if arguments == ["--probe"]:
        print(json.dumps(probe()))
        return 0
    if arguments[:1] == ["--plan"]:
        print(json.dumps(plan(WorkerOptions.from_json(arguments[1]))))
        return 0
    try:
        if arguments[:1] == ["--transcode"]:
            transcode(Path(arguments[1]), Path(arguments[2]), choose_threads())
            return 0
        file = prepare_starter(settings.load())
    except CspsError as exc:
        print(exc.message, file=sys.stderr)
        return 2
    print(f"model ready: {file.name}, {file.path} ({file.path.stat().st_size / 1e6:.0f} MB)")
    return 0


def plan(options: WorkerOptions) -> dict[str, Any]:
    """Returns the placement, threads and size of the cache; or the problem that the settings have with the model."""
    tuned = find_tuned(options)
    config = runner_config(options, tuned)
    try:
        placement, shape = plan_placement(options.file.path, config)
    except ConfigError as exc:
        return {"problem": exc.message}
    return {
        **asdict(placement),
        "layers": len(shape.layers) + 1 if shape else 0,
        "cache_bytes": int(placement.cells * shape.kv_bytes_per_token(placement.kv_type)) if shape else 0,
        "threads": config.threads,
        "threads_batch": config.threads_batch or config.threads,
        "tuned": tuned != TunedValues(),
    }


def prepare_starter(chosen: Settings) -> ModelFile:
    """Returns the starter's file, transcoded if it is not there yet. Raises ConfigError, ModelError."""
    threads = chosen.model.cpu_threads or choose_threads()
    return find_starter(models_folder(chosen.data_folder), lambda source, target: transcode(source, target, threads))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
