"""The model that an operator selected with `csps-llm models use`, in a file that the model host watches."""

from __future__ import annotations

import json
from pathlib import Path

from core.runtime.atomic_files import write_atomically

FILE = "selected.json"
ID_LIMIT_CHARS = 500


def models_folder(data_folder: Path) -> Path:
    return data_folder / "models"


def selection_file(data_folder: Path) -> Path:
    return models_folder(data_folder) / FILE


def read_selection(data_folder: Path) -> str | None:
    """Returns the selected model's id; None: the automatic choice. A damaged file selects nothing."""
    try:
        content = json.loads(selection_file(data_folder).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    model_id = content.get("model") if isinstance(content, dict) else None
    return model_id if isinstance(model_id, str) and 0 < len(model_id) <= ID_LIMIT_CHARS else None


def write_selection(data_folder: Path, model_id: str | None) -> None:
    """Stores the selection; None returns to the automatic choice. Raises OSError."""
    write_atomically(selection_file(data_folder), json.dumps({"model": model_id}).encode(), mode=0o644)
