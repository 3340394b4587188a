"""Everything that the adapters share: personalities, sessions, retrieval, toil, and the model behind them."""

import gc
from pathlib import Path

# Imports make objects that stay. Looking for garbage among them at every 700 new ones takes a tenth of a start.
gc.set_threshold(20_000, 20, 20)

PROJECT_ROOT = Path(__file__).resolve().parents[1]
