"""The token stays with the hub, redirects are bounded, and proxies and certificates come from the usual variables."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import certifi
import httpx
import pytest

from core.model.library.download import http_access
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.fetching import fetch
from core.model.library.download.http_access import (
    HubAccess,
    HubHttp,
    create_client,
    is_inside,
    read_access,
    tls_context,
)
from core.model.library.download.policy import TransferPolicy
from tests.core.model.library.download.support import FAST, NAME, SOURCE, fetch_from, model_bytes
from tests.support.certificates import certify
from tests.support.fake_hub import FakeHub

ANONYMOUS = {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}


async def test_the_token_is_sent_to_the_hub_alone(hub: FakeHub, tmp_path: Path) -> None:
    """The file server is another origin, on the same host."""
    await fetch_from(hub, tmp_path, environ={"HF_TOKEN": "hf_secret"})

    assert {("hub", "hf_secret"), ("cdn", None)} == {(request.server, request.token) for request in hub.requests}


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://huggingface.co/a/b", True),
        ("https://huggingface.co:443/a/b", True),
        ("http://huggingface.co/a/b", False),
        ("https://huggingface.co:8443/a/b", False),
        ("https://cdn.huggingface.co/a/b", False),
        ("https://huggingface.co.evil.example/a/b", False),
    ],
)
def test_the_hub_is_one_origin(url: str, kept: bool) -> None:
    """Scheme, host and port together."""
    assert kept == bool(HubAccess(token="hf_secret").headers(httpx.URL(url)))
    assert "hf_secret" not in repr(HubAccess(token="hf_secret"))


# --- redirects -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("location", ["ftp://x/y", "file:///etc/passwd", "http://user:pass@127.0.0.1/", "//"])
async def test_redirects_to_other_schemes_are_refused(hub: FakeHub, tmp_path: Path, location: str) -> None:
    hub.location = location
    with pytest.raises(DownloadFailed) as failure:
        await fetch_from(hub, tmp_path)

    assert ("redirect", False) == (failure.value.reason, failure.value.transient)


async def test_redirects_in_a_circle_end(hub: FakeHub, tmp_path: Path) -> None:
    hub.location = f"/someone/A-Model-GGUF/resolve/main/{NAME}"
    with pytest.raises(DownloadFailed) as failure:
        await fetch_from(hub, tmp_path)

    assert "redirect" == failure.value.reason
    assert len(hub.requests) == 1 + FAST.redirects + 1


async def test_a_redirect_within_the_hub_is_followed(hub: FakeHub, tmp_path: Path) -> None:
    """The hub redirects renamed repositories, and small files to its own cache."""
    target = hub.sign(NAME)
    served = iter([f"/someone/A-Model-GGUF/resolve/main/{NAME}"])
    redirect, hub.location = hub.sign, None
    hub.sign = lambda name: next(served, None) or redirect(name)  # type: ignore[method-assign]

    assert target
    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def redirect_from(endpoint: str, location: str) -> httpx.URL:
    async with httpx.AsyncClient() as client:
        http = HubHttp(client, HubAccess(endpoint), TransferPolicy())
        return await http.check_redirect(httpx.URL(f"{endpoint}/a/b"), location)


@pytest.mark.parametrize(
    "location",
    [
        "http://9.9.9.9/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/x",
        "https://[::1]/x",
        "https://10.1.2.3:8080/",
    ],
)
async def test_a_hub_on_the_internet_cannot_point_into_the_network(location: str) -> None:
    """Nor from https to http."""
    with pytest.raises(DownloadFailed, match="to an address that is not opened"):
        await redirect_from("https://9.9.9.10", location)


@pytest.mark.parametrize(
    ("endpoint", "location"),
    [
        ("https://9.9.9.10", "https://9.9.9.9/x?signature=1"),
        ("https://9.9.9.10", "/api/resolve-cache/x"),
        ("http://127.0.0.1:5", "http://127.0.0.1:6/x"),
        ("http://10.0.0.5", "http://192.168.3.4/x"),
    ],
)
async def test_other_redirects_are_followed(endpoint: str, location: str) -> None:
    """The operator's own mirror may point into the network where it is."""
    assert httpx.URL(endpoint).join(location) == await redirect_from(endpoint, location)


async def test_behind_a_proxy_names_are_not_resolved_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the proxy may know them. Addresses are still checked."""
    monkeypatch.setattr(http_access, "getproxies", lambda: {"https": "http://proxy:3128"})

    assert not await is_inside(httpx.URL("https://localhost/"))
    assert await is_inside(httpx.URL("https://127.0.0.1/"))
    monkeypatch.setattr(http_access, "getproxies", lambda: {"no": "intranet.example"})
    assert await is_inside(httpx.URL("https://localhost/"))


# --- variables -------------------------------------------------------------------------------------------------------


def test_the_endpoint_may_have_a_path() -> None:
    """Artifact stores serve a hub below one."""
    assert (
        "https://store.example/api/hf"
        == read_access({"HF_ENDPOINT": "https://store.example/api/hf/", **ANONYMOUS}).endpoint
    )
    assert "https://huggingface.co" == read_access({"HF_ENDPOINT": "", **ANONYMOUS}).endpoint


async def test_a_hub_below_a_path_behind_a_password(hub: FakeHub, tmp_path: Path) -> None:
    """Artifact stores have both. The password goes to the hub alone, and stands in no message."""
    access = read_access({"HF_ENDPOINT": "https://me:s%40cret@store.example/api/hf", **ANONYMOUS})
    elsewhere = access.headers(httpx.URL("https://cdn.example/x"))
    assert "https://store.example/api/hf" == access.endpoint
    assert {"Authorization": "Basic bWU6c0BjcmV0"} == access.headers(httpx.URL("https://store.example/api/hf/x"))
    assert ({}, False) == (elsewhere, "cret" in repr(access))

    found = await fetch_from(hub, tmp_path, environ={"HF_ENDPOINT": hub.url.replace("//", "//me:s%40cret@")})
    assert hub.files[NAME] == found.read_bytes()
    hub.gated = True
    with pytest.raises(DownloadFailed) as failure:
        await fetch_from(
            hub, tmp_path / "other", environ={"HF_ENDPOINT": hub.url.replace("//", "//me:s%40cret@"), **ANONYMOUS}
        )
    assert "cret" not in failure.value.message


@pytest.mark.parametrize(
    "endpoint", ["huggingface.co", "ftp://x", "https://", "https://x/?a=b", "https://[::", "file:///x"]
)
def test_another_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(DownloadFailed, match="HF_ENDPOINT"):
        read_access({"HF_ENDPOINT": endpoint, **ANONYMOUS})


def test_a_token_with_odd_characters_is_refused_without_showing_it() -> None:
    with pytest.raises(DownloadFailed) as failure:
        read_access({"HF_TOKEN": "hf_é\x00secret"})

    assert "secret" not in failure.value.message


def test_an_unreadable_login_means_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Public models need none."""

    def fail() -> None:
        raise PermissionError("/home/x/.cache/huggingface/token")

    monkeypatch.setattr("huggingface_hub.get_token", fail)

    assert read_access({}).token is None


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_operators_certificates_are_trusted(tmp_path: Path, variable: str) -> None:
    """They replace those of the system, as in other programs. A wrong file is named."""
    one = Path(certifi.where()).read_text(encoding="ascii").partition("-----END CERTIFICATE-----")
    (tmp_path / "ca.pem").write_text("".join(one[:2]), encoding="ascii")
    (tmp_path / "wrong.pem").write_text("no certificate")

    assert 1 == len(tls_context({variable: str(tmp_path / "ca.pem")}).get_ca_certs())
    assert 50 < len(tls_context({}).get_ca_certs())
    for wrong in ("wrong.pem", "missing.pem"):
        with pytest.raises(DownloadFailed, match=variable) as failure:
            tls_context({variable: str(tmp_path / wrong)})
        assert str(tmp_path / wrong) in failure.value.message


async def test_a_hub_with_the_departments_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused until a variable names the certificate."""
    certificate = certify("localhost", tmp_path)
    with FakeHub({NAME: model_bytes()}, certificate=certificate) as hub:
        with pytest.raises(DownloadFailed, match="no certificate that can be trusted"):
            await fetch_from(hub, tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

        assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


def test_certificates_are_always_checked() -> None:
    context = tls_context({})

    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)


@pytest.mark.parametrize("proxy", ["nonsense://x", "http://[::", "socks5://127.0.0.1:1"])
def test_an_unusable_proxy_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(DownloadFailed, match="HTTPS_PROXY"):
        create_client(FAST)


@dataclass
class ProxyLog:
    """An HTTP proxy that answers `status` to everything, and the addresses that were requested of it."""

    url: str = ""
    status: int = 503
    requested: list[str] = field(default_factory=list)


@pytest.fixture
def proxy() -> Iterator[ProxyLog]:
    served = ProxyLog()

    class ProxyHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requested.append(self.path)
            self.send_error(served.status)

        do_CONNECT = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), ProxyHandler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("no_proxy", "proxied"), [("", True), ("127.0.0.1", False)])
async def test_proxies_are_used_but_for_no_proxy(
    hub: FakeHub, tmp_path: Path, proxy: ProxyLog, monkeypatch: pytest.MonkeyPatch, no_proxy: str, proxied: bool
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    if proxied:
        with pytest.raises(DownloadFailed, match="status 503"):
            await fetch_from(hub, tmp_path, policy=replace(FAST, attempts=1))
        assert proxy.requested[0].startswith(f"{hub.url}/api/models/")
        assert [] == hub.requests
    else:
        assert (await fetch_from(hub, tmp_path)).is_file()
        assert [] == proxy.requested


async def test_a_proxy_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is not to blame. The proxy's password stands in no message."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"  # bound, but nobody listens
        monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@{address}")
        with pytest.raises(DownloadFailed) as failure:
            await fetch(SOURCE, tmp_path, environ={"HF_ENDPOINT": "http://hub.example", **ANONYMOUS})

    assert ("proxy_away", True) == (failure.value.reason, failure.value.transient)
    assert f"hub.example cannot be reached: the proxy {address} does not answer" in failure.value.message
    assert "secret" not in failure.value.message


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_password_is_named(
    tmp_path: Path, proxy: ProxyLog, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Its own refusal, whether it opens a tunnel or forwards requests."""
    proxy.status = 407
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.url.replace("//", "//me:secret@"))
    with pytest.raises(DownloadFailed) as failure:
        await fetch(SOURCE, tmp_path, environ={"HF_ENDPOINT": f"{scheme}://hub.example", **ANONYMOUS})

    assert ("proxy_login", False) == (failure.value.reason, failure.value.transient)
    assert proxy.url.removeprefix("http://") in failure.value.message
    assert "secret" not in failure.value.message


async def test_only_the_hub_and_its_file_server_are_called(hub: FakeHub, tmp_path: Path) -> None:
    """No telemetry: one list, one address, and the bytes. The user agent says nothing of this machine."""
    await fetch_from(hub, tmp_path)

    others = [f"{request.method} {request.path}" for request in hub.requests if request.server == "hub"]
    assert [
        "GET /api/models/someone/A-Model-GGUF?blobs=true",
        f"HEAD /someone/A-Model-GGUF/resolve/main/{NAME}",
    ] == others
