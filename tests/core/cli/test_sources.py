"""`csps-llm sources`, with a real website."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core import PROJECT_ROOT
from core.cli.commands.sources import group as app
from core.errors import ConfigError, CspsError, NotFound
from core.rag.sources.catalogue import load_catalogue

FEED = (
    b'<rss version="2.0"><channel><title>The News "Today"</title><link>https://example.org/</link>'
    b"<item><title>First thing</title><pubDate>Sun, 01 Jun 2025 10:00:00 GMT</pubDate></item></channel></rss>"
)
PAGES = {"/feed": ("application/rss+xml", FEED), "/page": ("text/html", b"<title>A page</title><main><p>Some text.")}
FILE = """
[good]
kind = "feed"
title = {{ en = "Good", fr = "Bon" }}
description = {{ en = "Good.", fr = "Bon." }}
url = {{ en = "http://{host}/feed" }}

[bad]
kind = "feed"
title = {{ en = "Bad", fr = "Mauvais" }}
description = {{ en = "Bad.", fr = "Mauvais." }}
url = {{ en = "http://{host}/absent" }}
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        media_type, body = PAGES.get(self.path, ("text/plain", b""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Prints nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def file(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sources.toml of a configuration with one personality that names two sources."""
    config = tmp_path / "config"
    (config / "personalities").mkdir(parents=True)
    (config / "settings.toml").write_text((PROJECT_ROOT / "config" / "settings.toml").read_text())
    whisper = (PROJECT_ROOT / "config" / "personalities" / "guide.toml").read_text()
    (config / "personalities" / "guide.toml").write_text(f'sources = ["good", "gone"]\n{whisper}')
    (config / "sources.toml").write_text(FILE.format(host=host))
    for name, value in {"CSPS_LLM_CONFIG": config, "CSPS_LLM_DATA": tmp_path, "RAG_ALLOW": host, "LANG": "C"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    return config / "sources.toml"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, CspsError):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.usefixtures("file")
def test_list_shows_the_personalities_of_each_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Titles are in the locale's language. An unknown source of a personality is reported."""
    code, shown = run("list")
    assert code == 0
    assert any("good" in line and "guide" in line for line in shown.splitlines())
    assert "guide names a source that does not exist: gone" in shown

    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    assert "Mauvais" in run("list")[1]


@pytest.mark.usefixtures("file")
def test_test_shows_the_result_of_each_address() -> None:
    """It shows the entries and the newest date, or the problem. The exit status is 1 if an address failed."""
    code, shown = run("test")

    assert code == 1
    assert (
        sum("good" in line and "2025-06-01 10:00" in line and "First thing" in line for line in shown.splitlines()) == 2
    )
    assert "answers with status 404" in shown
    assert "2 of 4 addresses" in shown
    assert run("test", "good")[0] == 0


@pytest.mark.usefixtures("file")
def test_test_of_an_unknown_source() -> None:
    """The error suggests the closest name."""
    with pytest.raises(NotFound, match="did you mean 'good'"):
        run("test", "goood")


def test_add_writes_an_entry_that_works(file: Path, host: str) -> None:
    """Its kind and title come from the page or feed. The rest of the file stays as it was."""
    before = file.read_text()
    assert run("add", "news", f"http://{host}/feed", "--title-fr", "Les nouvelles", "--topic", "news")[0] == 0
    assert run("add", "page", f"http://{host}/page")[0] == 0
    sources = load_catalogue(file, [host]).sources

    assert file.read_text().startswith(before.rstrip())
    assert sources["news"].section.kind == "feed"
    assert (sources["news"].title("en"), sources["news"].title("fr")) == ('The News "Today"', "Les nouvelles")
    assert sources["news"].section.topics.all == ("news", "news")
    assert sources["page"].section.kind == "page"
    assert run("test", "news")[0] == 0


@pytest.mark.parametrize("name", ["good", "none", "Bad Name"])
def test_add_refuses_an_invalid_name(file: Path, host: str, name: str) -> None:
    """For a name that is taken, reserved or malformed, the file stays as it was, without a temporary file beside it."""
    before = file.read_text()
    with pytest.raises(ConfigError):
        run("add", name, f"http://{host}/feed")

    assert file.read_text() == before
    assert [each.name for each in file.parent.iterdir() if each.name.startswith(".")] == []


def test_add_refuses_an_unreadable_address(file: Path, host: str) -> None:
    """The error has the status of the answer."""
    with pytest.raises(CspsError, match="404"):
        run("add", "news", f"http://{host}/absent")
