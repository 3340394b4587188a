"""The page's files and the security headers."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from core.configuration.settings import Settings
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site
from web.app import PAGES, create_app
from web.module_imports import static_imports
from web.page_version import servable_files

ADDRESS = re.compile(r'(?:href|src)="(static/[^"]+)"')


async def test_the_page_is_at_the_root(whisper: Site) -> None:
    """Also for a request from another site, and with a query. Its earlier address leads there with the query."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with whisper.http.get("/?personality=x", headers=headers) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        page = await response.text()
    async with whisper.http.get("/static/index.html?personality=x%26", headers=headers) as response:
        assert ("/", "personality=x%26", page) == (
            response.url.path,
            response.url.raw_query_string,
            await response.text(),
        )


async def test_the_page_refers_to_one_version_of_its_files(whisper: Site) -> None:
    """Browsers keep them for good. An address without a version leads to the same file; another version is unknown."""
    async with whisper.http.get("/") as response:
        addresses = ADDRESS.findall(await response.text())
    assert len({address.split("/")[1] for address in addresses}) == 1
    for address in addresses:
        async with whisper.http.get("/" + address) as response:
            assert (200, "public, max-age=31536000, immutable") == (response.status, response.headers["Cache-Control"])
    _, version, path = addresses[0].split("/", 2)
    async with whisper.http.get(f"/static/{path}") as response:
        assert (200, f"/static/{version}/{path}") == (response.status, response.url.path)
    async with whisper.http.get(f"/static/{version[::-1]}/{path}") as response:
        assert response.status == 404


async def test_the_page_names_the_modules_that_it_needs_at_first(whisper: Site) -> None:
    """They are those that page.js imports statically. A module that is imported later is not among them."""
    async with whisper.http.get("/") as response:
        preloaded = re.findall(r'rel="modulepreload" href="static/[0-9a-f]+/([^"]+)"', await response.text())
    assert set(preloaded) >= {"page.js", "interface/texts.js", "vendor/fluent/bundle.js"}
    sources = {path: (PAGES / path).read_text(encoding="utf-8") for path in preloaded}
    assert {each for path in sources for each in static_imports(sources[path], path)} == set(preloaded) - {"page.js"}


@pytest.mark.parametrize("file", sorted(path for path in PAGES.rglob("*") if path.suffix in (".js", ".css", ".svg")))
async def test_each_file_has_its_media_type(whisper: Site, file: Path) -> None:
    """With a wrong type, a browser would not run or apply it."""
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    async with whisper.http.get(f"/static/{file.relative_to(PAGES).as_posix()}") as response:
        assert (200, kinds[file.suffix]) == (response.status, response.content_type)


async def test_requests_for_the_page_are_logged_at_debug_level(whisper: Site) -> None:
    """Each visit makes dozens of them, its texts included."""
    with capture_logs() as logs:
        for path in ("/", "/static/texts/fr.ftl"):
            async with whisper.http.get(path, allow_redirects=False) as response:
                assert response.status in (200, 302)
    assert [(each["event"], each["log_level"]) for each in logs] == [("request", "debug")] * 2


@pytest.mark.parametrize("coding", ["gzip", "identity"])
async def test_an_unchanged_page_is_304(whisper: Site, coding: str) -> None:
    """A browser keeps the page and revalidates it, compressed or not."""
    accepted = {"Accept-Encoding": coding}
    async with whisper.http.get("/", headers=accepted) as response:
        assert response.headers["Cache-Control"] == "no-cache"
        tag = response.headers["ETag"]
    async with whisper.http.get("/", headers={**accepted, "If-None-Match": tag}) as response:
        assert (response.status, await response.read()) == (304, b"")
        assert (tag, "Accept-Encoding") == (response.headers["ETag"], response.headers["Vary"])
    async with whisper.http.get("/", headers={**accepted, "If-None-Match": '"other"'}) as response:
        assert response.status == 200
    async with whisper.http.head("/", headers=accepted) as response:
        assert (200, tag) == (response.status, response.headers["ETag"])


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("gzip ; q=0.000", False),
        ("deflate", False),
        ("gzip;q=x", False),
        ("", False),
    ],
)
async def test_files_are_compressed_for_those_who_accept_it(
    own_settings: Settings, accepted: str, compressed: bool
) -> None:
    """The content is the same, the entity tag another, and caches keep both apart."""
    async with site(own_settings) as running, ClientSession(auto_decompress=False) as http:
        headers = {"Accept-Encoding": accepted}
        async with http.get(f"{running.url}static/page.js", headers=headers) as response:
            body = await response.read()
            assert compressed == (response.headers.get("Content-Encoding") == "gzip")
            assert response.headers["Vary"] == "Accept-Encoding"
    assert (PAGES / "page.js").read_bytes() == (gzip.decompress(body) if compressed else body)


async def test_a_file_that_changes_belongs_to_the_next_start(own_settings: Settings, tmp_path: Path) -> None:
    """Until then everybody gets the files of the start, also those that nobody had loaded yet."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "index.html").write_text('<head></head><script type="module" src="a.js"></script>')
    (folder / "a.js").write_text("import './b.js';")
    (folder / "b.js").write_text("1;")
    seen = []
    for change in ("2;", "2;"):
        app = create_app(FakeEngine(), own_settings, pages=folder)
        async with TestClient(TestServer(app)) as client:
            (folder / "b.js").write_text(change)
            response = await client.get("/static/b.js")
            seen.append((response.url.path.split("/")[2], await response.text()))
    assert ["1;", "2;"] == [content for _, content in seen]
    assert seen[0][0] != seen[1][0]


@pytest.mark.parametrize(
    "path",
    [
        "/static",
        "/static/",
        "/static/vendor/",
        "/static/vendor",
        "/static/nothing.html",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/index.html/",
        "/static/index.html%00",
        "/static/" + "a" * 5000,
        "/static/..%5capp.py",
        "/favicon.ico",
    ],
)
async def test_other_paths_are_404(whisper: Site, path: str) -> None:
    """No listings, no files outside the folder."""
    async with whisper.http.get(whisper.url.rstrip("/") + path) as response:
        assert response.status == 404
        assert "def " not in await response.text()


def test_files_outside_the_folder_are_not_served(tmp_path: Path) -> None:
    """Links that lead out, and file types that the page does not use."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "page.css").write_text("page")
    (tmp_path / "secret.css").write_text("secret")
    (folder / "link.css").symlink_to(tmp_path / "secret.css")
    (folder / "loop.css").symlink_to(folder / "loop.css")
    (folder / "notes.py").write_text("notes")

    assert ["page.css"] == list(servable_files(folder))


async def test_every_response_has_security_headers(whisper: Site) -> None:
    """Page, files, answers, errors and streams."""
    for path in ("/", "/static/page.js", "/gpt/whisper?prompt=Hi", "/nowhere", "/describe", "/metrics", "/toil/x"):
        async with whisper.http.get(path) as response:
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "require-trusted-types-for 'script'" in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "microphone=(self)" in response.headers["Permissions-Policy"]
            assert response.headers["Server"] == "csps-llm"
            assert response.headers["X-Request-Id"]


def test_create_app_does_no_io(own_settings: Settings) -> None:
    """An app can be created without serving it."""
    assert create_app(FakeEngine(), own_settings).router.resources()
