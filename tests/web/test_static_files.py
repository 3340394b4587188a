"""The page's files and the security headers."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.configuration.settings import Settings
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site
from web.app import PAGES, create_app
from web.problems import PathUnknown
from web.static_files import StaticFiles


async def test_root_redirects_to_the_page(whisper: Site) -> None:
    """This also holds for a request from another site."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with whisper.http.get("/", allow_redirects=False, headers=headers) as response:
        assert (response.status, response.headers["Location"]) == (302, "/static/index.html")
    async with whisper.http.get("/", headers=headers) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert (PAGES / "index.html").read_bytes() == await response.read()


@pytest.mark.parametrize("file", sorted(path for path in PAGES.rglob("*") if path.suffix in (".js", ".css", ".svg")))
async def test_each_file_has_its_media_type(whisper: Site, file: Path) -> None:
    """With a wrong type, a browser would not run or apply it."""
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    async with whisper.http.get(f"/static/{file.relative_to(PAGES).as_posix()}") as response:
        assert (200, kinds[file.suffix]) == (response.status, response.content_type)


async def test_requests_for_the_page_are_logged_at_debug_level(whisper: Site) -> None:
    """Each visit makes dozens of them, its texts included."""
    with capture_logs() as logs:
        for path in ("/static/index.html", "/static/texts/fr.ftl"):
            async with whisper.http.get(path) as response:
                assert response.status == 200
    assert [(each["event"], each["log_level"]) for each in logs] == [("request", "debug")] * 2


async def test_unchanged_files_are_304(whisper: Site) -> None:
    """A browser keeps a file and revalidates it."""
    async with whisper.http.get("/static/index.html") as response:
        assert response.headers["Cache-Control"] == "no-cache"
        tag = response.headers["ETag"]
    async with whisper.http.get("/static/index.html", headers={"If-None-Match": tag}) as response:
        assert (response.status, await response.read()) == (304, b"")
    async with whisper.http.get("/static/index.html", headers={"If-None-Match": '"other"'}) as response:
        assert response.status == 200
    async with whisper.http.head("/static/index.html") as response:
        assert (200, tag) == (response.status, response.headers["ETag"])


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


def test_names_outside_the_folder_are_unknown(tmp_path: Path) -> None:
    """Dots, absolute paths, links, and file types that the page does not use."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "page.html").write_text("page")
    (tmp_path / "secret.html").write_text("secret")
    (folder / "link.html").symlink_to(tmp_path / "secret.html")
    (folder / "loop.html").symlink_to(folder / "loop.html")
    (folder / "notes.py").write_text("notes")
    pages = StaticFiles(folder)

    assert folder / "page.html" == pages.find("page.html")
    leading_out = ("../secret.html", str(tmp_path / "secret.html"), "link.html", "loop.html", "notes.py", ".", "", "\0")
    for name in leading_out:
        with pytest.raises(PathUnknown):
            pages.find(name)


async def test_every_response_has_security_headers(whisper: Site) -> None:
    """Page, answers, errors and streams."""
    for path in ("/", "/static/index.html", "/gpt/whisper?prompt=Hi", "/nowhere", "/describe", "/metrics", "/toil/x"):
        async with whisper.http.get(path) as response:
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "require-trusted-types-for 'script'" in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "microphone=()" in response.headers["Permissions-Policy"]
            assert response.headers["Server"] == "csps-llm"
            assert response.headers["X-Request-Id"]


def test_create_app_does_no_io(own_settings: Settings) -> None:
    """An app can be created without serving it."""
    assert create_app(FakeEngine(), own_settings).router.resources()
