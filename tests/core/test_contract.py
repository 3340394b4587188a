"""Values of the contract."""

from __future__ import annotations

from core.contract import Usage


def test_usage_adds_up() -> None:
    """Each count is added."""
    assert Usage(7, 3, 2) + Usage(10, 20, 30) == Usage(17, 23, 32)
    assert sum([Usage(1), Usage(2)], Usage()) == Usage(3)
