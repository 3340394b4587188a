"""Simon Willison's `llm`: the command of this name, with the model in its file of settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from abilities import show
from tickets import QUESTION, REQUEST, WEATHER, Ticket

# extra-openai-models.yaml, in the folder that `dirname "$(llm logs path)"` prints
MODELS = """
- model_id: whisper
  model_name: whisper
  api_base: http://localhost:5000/v1
  supports_schema: true
  supports_tools: true
""".replace("http://localhost:5000/v1", os.environ["OPENAI_BASE_URL"])
TOOL = '''
def weather(city: str) -> str:
    """Tells the current weather in a city."""
    return f"Light snow in {city}, -4 degrees."
'''


def llm(*arguments: str) -> str:
    command = Path(sys.executable).with_name("llm")
    return subprocess.run([command, *arguments], capture_output=True, text=True, check=True).stdout


def last_log() -> dict[str, Any]:
    return json.loads(llm("logs", "--json", "-n", "1"))[0]


def chat() -> Any:
    text = llm("-m", "whisper", "--no-stream", "-s", "Answer briefly.", "-o", "max_tokens", "48", QUESTION)
    log = last_log()
    return {"text": text.strip(), "usage": {"total_tokens": log["input_tokens"] + log["output_tokens"]}}


def stream() -> Any:
    """The next question continues the conversation."""
    first = llm("-m", "whisper", "-o", "max_tokens", "48", QUESTION)
    second = llm("-c", "-o", "max_tokens", "48", "And of France?")
    return {"text": first.strip(), "next": second.strip()}


def structured() -> Any:
    return {"value": json.loads(llm("-m", "whisper", "--schema", json.dumps(Ticket.model_json_schema()), REQUEST))}


def short_schema() -> Any:
    """Its own short form of a schema."""
    return {"value": json.loads(llm("-m", "whisper", "--schema", "name, floor int, email", REQUEST))}


def agent() -> Any:
    text = llm("-m", "whisper", "--functions", TOOL, "--chain-limit", "4", "-o", "max_tokens", "64", WEATHER)
    return {"text": text.strip()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLM_USER_PATH"] = folder
        (Path(folder) / "extra-openai-models.yaml").write_text(MODELS)
        show("llm", chat, stream, structured, short_schema, agent)
