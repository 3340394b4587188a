"""The merged log: readable, harmless, and never in the way."""

from __future__ import annotations

import io
import json
import os
import threading

from core.cli.console import Console, plain, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(*, as_json: bool = False, colour: bool = False) -> list[str]:
    stream = io.StringIO()
    console = Console(stream, ["model", "web"], as_json=as_json, colour=colour)
    console.line("model", "12:00:00 [info] model_ready")
    console.line("web", '{"event": "serving", "process": "web"}')
    console.tell("ready", "Chat at:\n  http://localhost:5000/", url="http://localhost:5000/")
    console.close()
    return stream.getvalue().splitlines()


def test_each_line_names_its_process() -> None:
    """Names are aligned; what `up` says itself is named too, line by line."""
    assert shown() == [
        "model │ 12:00:00 [info] model_ready",
        'web   │ {"event": "serving", "process": "web"}',
        "up    │ Chat at:",
        "up    │   http://localhost:5000/",
    ]


def test_json_stays_json() -> None:
    """Objects pass, other lines are wrapped, and every line of the log is one object."""
    model, web, up = map(json.loads, shown(as_json=True))
    assert (model["event"], model["line"], model["process"]) == ("output", "12:00:00 [info] model_ready", "model")
    assert web == {"event": "serving", "process": "web"}
    assert (up["event"], up["url"], up["process"]) == ("ready", "http://localhost:5000/", "up")


def test_colour_only_where_it_is_wanted() -> None:
    """On a terminal, unless NO_COLOR is set; prefixes alone are coloured."""
    assert wants_colour(Terminal(), {})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {})
    assert shown(colour=True)[0] == "\x1b[36mmodel │ \x1b[0m12:00:00 [info] model_ready"


def test_a_process_cannot_steer_the_terminal() -> None:
    """Escape sequences in what is repeated lose their teeth."""
    assert plain("a\x1b[2J\tb\x07é") == "a\N{REPLACEMENT CHARACTER}[2J\tb\N{REPLACEMENT CHARACTER}é"


class Paused(io.StringIO):
    """A terminal on which somebody pressed Ctrl-S."""

    def __init__(self) -> None:
        super().__init__()
        self.resumed = threading.Event()
        self.reached = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.resumed.wait(30)
        return super().write(text)


def test_a_paused_terminal_stops_nobody() -> None:
    """Lines beyond what may wait are dropped and counted; the caller never waits."""
    stream = Paused()
    console = Console(stream, ["web"], as_json=False, colour=False)
    console.line("web", "first")
    assert stream.reached.wait(30)
    for number in range(10_500):
        console.line("web", str(number))
    stream.resumed.set()
    console.close()
    assert "500 lines were not shown" in stream.getvalue()
    assert stream.getvalue().count("\n") == 10_002


def test_a_closed_terminal_stops_nobody() -> None:
    """Where nobody reads any more, lines go nowhere, and whoever writes them does not notice."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        console = Console(stream, ["web"], as_json=False, colour=False)
        os.close(reader)
        console.line("web", "lost")
        console.line("web", "lost as well")
        console.close()
        assert not any(thread.name == "console" and thread.is_alive() for thread in threading.enumerate())
