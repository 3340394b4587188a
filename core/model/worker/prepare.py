"""`python -m core.model.worker.prepare` prepares the starter; `--probe` reports what llama.cpp can do here.

`--transcode SOURCE TARGET` writes a file as Q8_0.

It downloads nothing: the model host does, while the starter answers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from core.configuration import settings
from core.configuration.settings import Settings
from core.errors import ConfigError, CspsError
from core.model.hardware.processor import choose_threads
from core.model.library.gguf_file import ModelFile
from core.model.library.starter import find_starter
from core.model.worker.llama.loading import probe, transcode


def main(arguments: list[str]) -> int:
    if arguments == ["--probe"]:
        print(json.dumps(probe()))
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


def prepare_starter(chosen: Settings) -> ModelFile:
    """Returns the starter's file, transcoded if it is not there yet. Raises ConfigError, ModelError."""
    threads = chosen.model.cpu_threads or choose_threads()
    try:
        return find_starter(chosen.data_folder / "models", lambda source, target: transcode(source, target, threads))
    except OSError as exc:
        raise ConfigError(f"{exc.filename or chosen.data_folder}: {exc.strerror or exc}") from exc


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
