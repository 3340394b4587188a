"""Which engine is chosen: by weight and load, and by the conversation."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

import pytest

from core.model.client import balancer as balancer_module
from core.model.client.balancer import STICKY_SLACK, Balancer


@pytest.mark.parametrize(("weights", "shares"), [((1, 1), (30, 30)), ((2, 1), (40, 20)), ((0.5, 2.5), (10, 50))])
@pytest.mark.parametrize("at_once", [True, False])
def test_requests_are_shared_by_weight(weights: tuple[float, ...], shares: tuple[int, ...], at_once: bool) -> None:
    """This holds for requests that run at once, and for requests that come one after the other."""
    balancer = Balancer(dict(zip("ab", weights, strict=True)))
    chosen = Counter[str]()
    with ExitStack() as running:
        for _ in range(60):
            label = balancer.choose("ab")
            chosen[label] += 1
            running.enter_context(balancer.sending(label))
            if not at_once:
                running.pop_all().close()

    assert all(abs(chosen[label] - share) <= 1 for label, share in zip("ab", shares, strict=True))


def test_the_least_loaded_engine_is_next() -> None:
    """A slow engine gets fewer requests: those that run count, not those that were sent."""
    balancer = Balancer({"slow": 1, "fast": 1})
    with balancer.sending("slow"):
        for _ in range(10):
            label = balancer.choose(["slow", "fast"])
            with balancer.sending(label):
                assert label == "fast"


def test_a_conversation_stays_on_its_engine() -> None:
    """Its prefix is computed there. It leaves an engine that is far more loaded, or that may not be asked."""
    balancer = Balancer({"a": 1, "b": 1})
    with balancer.sending("a", "talk"):
        pass
    with ExitStack() as running:
        for _ in range(int(STICKY_SLACK)):
            running.enter_context(balancer.sending("a"))
            assert balancer.choose(["a", "b"], "talk") == "a"
        running.enter_context(balancer.sending("a"))
        assert balancer.choose(["a", "b"], "talk") == "b"

    assert balancer.choose(["b"], "talk") == "b"


def test_processes_agree_on_the_engine_of_a_new_conversation() -> None:
    """A restarted process finds the engine that has the prefix. Conversations spread by weight."""
    first, second = (Balancer({"a": 3, "b": 1}) for _ in range(2))
    talks = [f"talk {number}" for number in range(400)]
    chosen = [first.choose(["a", "b"], talk) for talk in talks]

    assert chosen == [second.choose(["b", "a"], talk) for talk in talks]
    assert 260 <= chosen.count("a") <= 340


def test_the_memory_of_conversations_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was not used for longest is forgotten."""
    monkeypatch.setattr(balancer_module, "HOMES_LIMIT", 2)
    balancer = Balancer({"a": 1, "b": 1})
    for talk in ("one", "two", "three"):
        with balancer.sending("a", talk):
            pass

    assert len(balancer._homes) == 2
