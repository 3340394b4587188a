"""The command `models` with a catalogue of its own, on a laptop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from core.cli import app
from core.errors import CspsError
from core.model.hardware.machine import Machine

GIB = 1 << 30


REPO = "someone/A-Model-GGUF"


CATALOGUE = """
[large]
title = "Large 8B"
repo = "someone/Large-GGUF"
file = "large.gguf"
size_bytes = 5000000000
licence = "Apache-2.0"
licence_url = "https://www.apache.org/licenses/LICENSE-2.0"
languages = ["en", "fr", "de"]
context_window = 8192
good_for = { en = "Long texts.", fr = "Les longs textes." }

[small]
title = "Small 1B"
repo = "someone/A-Model-GGUF"
file = "small.gguf"
size_bytes = 1000000000
licence = "MIT"
licence_url = "https://opensource.org/license/mit"
languages = ["en", "fr"]
context_window = 8192
good_for = { en = "Short texts.", fr = "Les textes courts." }

[embedder]
title = "Embedder"
kind = "embedder"
repo = "someone/Embedder-GGUF"
file = "embedder.gguf"
size_bytes = 500000000
licence = "MIT"
licence_url = "https://opensource.org/license/mit"
languages = ["en", "fr"]
context_window = 512
good_for = { en = "Search.", fr = "La recherche." }
"""


LAPTOP = Machine(4, 16 * GIB, 14 * GIB, bandwidth_bytes_per_s=10e9)


def run(*arguments: str, answer: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *arguments], input=answer)
    if isinstance(result.exception, CspsError):
        raise result.exception
    return result.exit_code, result.output


def listed(*arguments: str) -> dict[str, dict[str, Any]]:
    code, output = run("list", "--json", *arguments)
    assert 0 == code
    return {row["id"]: row for row in json.loads(output)}


def add_remote(data: Path) -> None:
    file = data.parent / "config" / "models.toml"
    file.write_text(CATALOGUE + '[far]\ntitle = "Far"\nengines = [{ url = "http://user:pw@gpu.invalid/v1" }]\n')
