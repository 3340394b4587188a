"""Which action applies to a kind, by personality and channel; and what an operator allows."""

from __future__ import annotations

import pytest

from core.privacy.allowances import Allowances
from core.privacy.detection import Detector
from core.privacy.policy import ALLOW_ALL, Policy

POLICY = Policy(
    default={"email": "allow"},
    channels={"slack": {"email": "mask", "sin": "block"}},
    personalities={"hr": {"email": "block", "sin": "allow"}},
    pairs={("hr", "web"): {"email": "allow"}},
)


@pytest.mark.parametrize(
    ("personality", "channel", "email", "sin"),
    [
        ("whisper", "web", "allow", "mask"),
        ("whisper", "slack", "mask", "block"),
        ("hr", "slack", "block", "block"),  # the stricter of both
        ("hr", "web", "allow", "allow"),  # the pair counts before both
        ("hr", "teams", "block", "allow"),
    ],
)
def test_the_action_is_chosen_by_personality_and_channel(personality: str, channel: str, email: str, sin: str) -> None:
    rules = POLICY.rules(personality, channel)  # type: ignore[arg-type]

    assert (email, sin) == (rules.action("email"), rules.action("sin"))


def test_a_policy_that_allows_all_searches_nothing() -> None:
    assert ALLOW_ALL.rules("whisper", "web").allows_all
    assert not Policy().rules("whisper", "web").allows_all


@pytest.mark.parametrize(
    "text",
    [
        "info@tbs-sct.gc.ca",
        "help [at] canada.ca",
        "1-800-622-6232",
        "+1 (866) 555-0100 ext. 3",
        "613-555-0100",
        "K1A 0R5",
        "k1a-0b1",
        "046-454-286",
    ],
)
def test_the_governments_own_addresses_and_numbers_pass(text: str) -> None:
    allowances = Allowances(("gc.ca", "canada.ca"), ("800*", "866*", "613-555-0100"), ("K1A*",), ("046 454 286",))

    assert [] == Detector(allowances).find(text)
    assert [] != Detector().find(text)


def test_what_resembles_an_allowed_address_is_found() -> None:
    """A domain covers its subdomains, and no domain that only ends alike."""
    assert [] != Detector(Allowances(("gc.ca",))).find("info@fakegc.ca, info@gc.ca.example.com")
