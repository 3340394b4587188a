"""Everything that the adapters share: personalities, sessions, retrieval, toil, and the model behind them."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]
