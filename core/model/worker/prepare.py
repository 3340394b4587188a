"""`python -m core.model.worker.prepare` prepares the model; `--probe` reports what llama.cpp can do here."""

from __future__ import annotations

import json
import sys

from core.configuration import settings
from core.errors import CspsError
from core.model.worker.llama.loading import probe
from core.model.worker.loaded_model import find_model


def main(arguments: list[str]) -> int:
    if arguments == ["--probe"]:
        print(json.dumps(probe()))
        return 0
    try:
        file = find_model(settings.load())
    except CspsError as exc:
        print(exc.message, file=sys.stderr)
        return 2
    print(f"model ready: {file.name}, {file.path} ({file.path.stat().st_size / 1e6:.0f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
