"""The merged log: each line names its process, and no terminal stops the service."""

from __future__ import annotations

import errno
import io
import json
import os
import threading

from core.cli.merged_log import MergedLog, replace_controls, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def write_lines(*, as_json: bool = False, colour: bool = False) -> list[str]:
    stream = io.StringIO()
    log = MergedLog(stream, ["model", "web"], "en", as_json=as_json, colour=colour)
    log.write_line("model", "12:00:00 [info] model_ready")
    log.write_line("web", '{"event": "serving", "process": "web"}')
    log.write_event("ready", "Chat at:\n  http://localhost:5000/", url="http://localhost:5000/")
    log.close()
    return stream.getvalue().splitlines()


def test_each_line_names_its_process() -> None:
    """Names are aligned. Each line of an event of `up` has a name too."""
    assert write_lines() == [
        "model │ 12:00:00 [info] model_ready",
        'web   │ {"event": "serving", "process": "web"}',
        "up    │ Chat at:",
        "up    │   http://localhost:5000/",
    ]


def test_json_stays_json() -> None:
    """Objects pass unchanged, other lines are wrapped: every line of the log is one object."""
    model, web, up = map(json.loads, write_lines(as_json=True))
    assert (model["event"], model["line"], model["process"]) == ("output", "12:00:00 [info] model_ready", "model")
    assert web == {"event": "serving", "process": "web"}
    assert (up["event"], up["url"], up["process"]) == ("ready", "http://localhost:5000/", "up")


def test_colour_is_for_terminals() -> None:
    """On a terminal the prefixes are coloured, unless NO_COLOR is set."""
    assert wants_colour(Terminal(), {})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {})
    assert write_lines(colour=True)[0] == "\x1b[36mmodel │ \x1b[0m12:00:00 [info] model_ready"


def test_a_process_cannot_steer_the_terminal() -> None:
    """Control characters in its lines are replaced; French keeps its non-breaking spaces."""
    assert replace_controls("a\x1b[2J\tb\x07é") == "a\N{REPLACEMENT CHARACTER}[2J\tb\N{REPLACEMENT CHARACTER}é"
    assert replace_controls("démarré\u00a0: oui") == "démarré\u00a0: oui"


class PausedTerminal(io.StringIO):
    """A terminal on which somebody pressed Ctrl+S."""

    def __init__(self) -> None:
        super().__init__()
        self.resumed = threading.Event()
        self.reached = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.resumed.wait(30)
        return super().write(text)


def test_a_paused_terminal_does_not_stop_the_service() -> None:
    """Lines beyond 10,000 are dropped and counted; the caller never waits."""
    stream = PausedTerminal()
    log = MergedLog(stream, ["web"], "en", as_json=False, colour=False)
    log.write_line("web", "first")
    assert stream.reached.wait(30)
    for number in range(10_500):
        log.write_line("web", str(number))
    stream.resumed.set()
    log.close()
    assert "500 lines were not shown" in stream.getvalue()
    assert stream.getvalue().count("\n") == 10_002


def test_a_closed_terminal_does_not_stop_the_service() -> None:
    """Further lines are discarded, without an error."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        log = MergedLog(stream, ["web"], "en", as_json=False, colour=False)
        os.close(reader)
        log.write_line("web", "lost")
        log.write_line("web", "lost as well")
        log.close()
        assert not any(thread.name == "merged-log" and thread.is_alive() for thread in threading.enumerate())


class FullDisk(io.StringIO):
    """A file on a disk that has no room until `freed` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.freed = False

    def write(self, text: str) -> int:
        if not self.freed:
            self.freed = True
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_the_log_goes_on_when_a_full_disk_has_room_again() -> None:
    """The lines between are counted."""
    stream = FullDisk()
    log = MergedLog(stream, ["web"], "en", as_json=False, colour=False)
    log.write_line("web", "lost")
    log.write_line("web", "kept")
    log.close()
    assert "1 line was not shown" in stream.getvalue()
    assert "kept" in stream.getvalue()


def test_a_status_line_stays_below_the_log() -> None:
    """Each line clears it and draws it again. It goes when it is removed."""
    stream = Terminal()
    log = MergedLog(stream, ["web"], "en", as_json=False, colour=False, live=True)
    log.show_status("██ 50%\x07")
    log.write_line("web", "first")
    log.show_status(None)
    log.write_line("web", "second")
    log.close()

    drawn = "██ 50%\N{REPLACEMENT CHARACTER}"
    assert f"{drawn}\r\x1b[2Kweb │ first\n{drawn}\r\x1b[2Kweb │ second\n" == stream.getvalue()


def test_json_has_no_status_line() -> None:
    stream = Terminal()
    log = MergedLog(stream, ["web"], "en", as_json=True, colour=False, live=True)
    log.show_status("██ 50%")
    log.close()

    assert not log.has_status_line
    assert "" == stream.getvalue()
