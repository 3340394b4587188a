"""The operator's policy: which kinds of personal information are allowed, masked or refused, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from core.contract import Channel
from core.privacy.detection import Detector

Action = Literal["allow", "mask", "block"]
ACTIONS: tuple[Action, ...] = get_args(Action)  # from the mildest to the strictest
Actions = Mapping[str, Action]
DEFAULT_ACTION: Action = "mask"  # of a kind that the policy does not name


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy for one personality on one channel."""

    actions: Actions
    detector: Detector

    def action(self, kind: str) -> Action:
        return self.actions.get(kind, DEFAULT_ACTION)

    @property
    def allows_all(self) -> bool:
        return all(self.action(kind) == "allow" for kind in self.detector.kinds)


@dataclass(frozen=True, slots=True)
class Policy:
    """A kind's action is that for the personality on the channel, else the stricter one of those for the personality
    and for the channel, else the default one.
    """

    detector: Detector = field(default_factory=Detector)
    default: Actions = field(default_factory=dict)
    channels: Mapping[str, Actions] = field(default_factory=dict)
    personalities: Mapping[str, Actions] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], Actions] = field(default_factory=dict)

    def rules(self, personality: str, channel: Channel) -> Rules:
        pair = self.pairs.get((personality, channel), {})
        for_channel, for_personality = self.channels.get(channel, {}), self.personalities.get(personality, {})
        actions = {
            kind: pair.get(kind) or stricter(for_channel.get(kind), for_personality.get(kind)) or self.default.get(kind)
            for kind in self.detector.kinds
        }
        return Rules({kind: action or DEFAULT_ACTION for kind, action in actions.items()}, self.detector)


def stricter(first: Action | None, second: Action | None) -> Action | None:
    return max((each for each in (first, second) if each), key=ACTIONS.index, default=None)


ALLOW_ALL = Policy(default=dict.fromkeys(Detector().kinds, "allow"))
