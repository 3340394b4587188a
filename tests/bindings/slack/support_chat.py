"""A question in a Slack thread, and the outlet of its answer."""

from __future__ import annotations

from bindings.delivery.outlet import Closing, Page
from bindings.incoming import IncomingMessage, Place
from bindings.selftest.slack_server import BOT_USER, FakeSlack
from bindings.slack.adapter import SlackPlatform
from bindings.slack.api import SlackApi
from bindings.slack.outlet import SlackOutlet
from tests.bindings.slack.support_fakes import ME

CLOSING = Closing("ans-1", "Written by AI (model m).")


class Chat:
    """A question in a thread, and the outlet of its answer."""

    def __init__(self, slack: FakeSlack, api: SlackApi, channel: str = "C1", *, threaded: bool = True) -> None:
        self.slack, self.api, self.channel = slack, api, channel
        self.question = slack.add_message(channel, f"<@{BOT_USER}> why?")
        kind = "personal" if channel.startswith("D") else "channel"
        route = {"user": "U0ANN", "team": "T0001"}
        self.place = Place("slack", "T0001", channel, self.question if threaded else None, kind, route)  # type: ignore[arg-type]
        self.stopped: list[tuple[Place, str]] = []
        self.platform = SlackPlatform(api, lambda: ME, lambda place, ref: self.stopped.append((place, ref)))
        self.outlet = self.again()

    def again(self) -> SlackOutlet:
        incoming = IncomingMessage("e", self.place, self.question, "U0ANN", "why?")
        outlet = self.platform.outlet(incoming)
        assert isinstance(outlet, SlackOutlet)
        return outlet

    def after_a_crash(self) -> SlackOutlet:
        """An outlet of a new process, without memory of this one."""
        self.platform = SlackPlatform(self.api, lambda: ME, lambda *_: None)
        return self.again()

    @property
    def answers(self) -> list[dict[str, object]]:
        return self.slack.answers(self.channel)


def page(text: str, **more: object) -> Page:
    return Page(text, "en", **more)  # type: ignore[arg-type]


def final(text: str) -> Page:
    return page(text, final=True, closing=CLOSING)
