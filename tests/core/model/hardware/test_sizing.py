"""The context window, from setting and model."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from core.model.hardware.sizing import choose_window


@pytest.mark.parametrize(
    ("setting", "trained", "window"),
    [(None, 2048, 2048), (None, 131_072, 8192), (4096, 131_072, 4096), (512, 512, 512)],
)
def test_the_window_is_the_setting_or_the_trained_one(setting: int | None, trained: int, window: int) -> None:
    """Without a setting the trained window applies, up to 8192 tokens."""
    assert choose_window(setting, trained) == window


def test_a_window_beyond_training_is_refused() -> None:
    """Beyond it the model would write nonsense."""
    with pytest.raises(ConfigError, match="LLM_CONTEXT_WINDOW is 4096, but this model was trained for at most 2048"):
        choose_window(4096, 2048)
