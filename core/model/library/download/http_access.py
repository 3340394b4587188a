"""The HTTP client of a download: proxies and certificates by the usual variables, and redirects that keep the token.

httpx follows no redirect by itself here. The token goes to the hub's origin alone, never to a file server. A hub on the
Internet cannot redirect to an address inside the network; one inside the network can, since the operator chose it.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import certifi
import httpx
import structlog

from core.model.library.download.failures import DownloadFailed
from core.model.library.download.policy import TransferPolicy
from core.runtime.network_errors import reason_key, without_credentials

log = structlog.get_logger()

DEFAULT_ENDPOINT = "https://huggingface.co"
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
TRUE = {"1", "ON", "YES", "TRUE"}
USER_AGENT = "csps-llm"
DEFAULT_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HubAccess:
    """The hub, and the token for it."""

    endpoint: str = DEFAULT_ENDPOINT  # without a slash at the end; it may have a path
    token: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)  # user:password, which HF_ENDPOINT names

    @property
    def host(self) -> str:
        return httpx.URL(self.endpoint).host

    def is_hub(self, url: httpx.URL) -> bool:
        return origin(url) == origin(httpx.URL(self.endpoint))

    def headers(self, url: httpx.URL) -> dict[str, str]:
        """The token or the password, for the hub's own origin only."""
        if not self.is_hub(url):
            return {}
        if self.password:
            return {"Authorization": f"Basic {b64encode(self.password.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    return is_true(environ.get("HF_HUB_OFFLINE") or environ.get("TRANSFORMERS_OFFLINE"))


def is_true(value: str | None) -> bool:
    return (value or "").upper() in TRUE


def read_access(environ: Mapping[str, str] = os.environ) -> HubAccess:
    """Reads HF_ENDPOINT and the token; may refresh one of `hf auth login` over the network. Raises DownloadFailed."""
    endpoint = (environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
    try:
        url = httpx.URL(endpoint)
    except httpx.InvalidURL as exc:
        raise DownloadFailed("endpoint") from exc
    if url.scheme not in DEFAULT_PORT or not url.host or url.query or url.fragment:
        raise DownloadFailed("endpoint")
    password = f"{url.username}:{url.password}" if url.userinfo else None
    return HubAccess(without_credentials(endpoint), read_token(environ), password)


def read_token(environ: Mapping[str, str]) -> str | None:
    """Returns HF_TOKEN, or the token of `hf auth login`, which the hub's library finds and refreshes."""
    if is_true(environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN")):
        return None
    token = (environ.get("HF_TOKEN") or environ.get("HUGGING_FACE_HUB_TOKEN") or "").strip() or stored_token()
    if token and not (token.isascii() and token.isprintable()):
        raise DownloadFailed("token", host="HF_TOKEN")
    return token


def stored_token() -> str | None:
    from huggingface_hub import get_token

    try:
        return get_token()
    except Exception as exc:  # noqa: BLE001 - it raises its own, its HTTP client's and built-in ones; a public model needs none
        log.warning("hub_token_unreadable", error=type(exc).__name__)
        return None


def tls_context(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Trusts the operator's certificates if a variable names them; else the system's and certifi's."""
    for variable in CERTIFICATE_VARIABLES:
        if path := environ.get(variable):
            try:
                return context_of(Path(path).expanduser())
            except OSError as exc:  # also ssl.SSLError
                raise DownloadFailed("certificates", variable=variable, path=path) from exc
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def context_of(path: Path) -> ssl.SSLContext:
    folder = str(path) if path.is_dir() else None
    return ssl.create_default_context(cafile=None if folder else str(path), capath=folder)


def create_client(policy: TransferPolicy) -> httpx.AsyncClient:
    """Reads the variables of proxies (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY). Raises DownloadFailed.

    Call it in a thread: it reads hundreds of certificates, and httpcore would import anyio's backend on the event loop,
    which takes 40 ms.
    """
    with suppress(ImportError):
        importlib.import_module("anyio._backends._asyncio")
    try:
        return httpx.AsyncClient(
            verify=tls_context(),
            follow_redirects=False,
            timeout=httpx.Timeout(policy.stall_s, connect=policy.connect_s, pool=None),
            limits=httpx.Limits(
                max_connections=policy.connections + 1, max_keepalive_connections=policy.connections + 1
            ),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )
    except (ValueError, ImportError, httpx.InvalidURL) as exc:  # a proxy that is no URL; SOCKS without its package
        raise DownloadFailed("proxy") from exc


class HubHttp:
    """Sends requests to the hub and to where it redirects."""

    def __init__(self, client: httpx.AsyncClient, access: HubAccess, policy: TransferPolicy) -> None:
        self.access = access
        self._client = client
        self._policy = policy
        self._inside: bool | None = None  # the hub itself is inside the network; None: not yet known

    @asynccontextmanager
    async def stream(
        self, method: str, url: httpx.URL, headers: Mapping[str, str] | None = None, *, leave_hub: bool = True
    ) -> AsyncIterator[httpx.Response]:
        """Yields the response at the end of the redirects, its body unread.

        `leave_hub=False`: yields the hub's own redirect to another server instead. Raises DownloadFailed,
        httpx.RequestError.
        """
        for _ in range(self._policy.redirects + 1):
            sent = {**(headers or {}), **self.access.headers(url)}
            response = await self._client.send(self._client.build_request(method, url, headers=sent), stream=True)
            try:
                target = await self._redirect_target(response)
                if target is None or not (leave_hub or self.access.is_hub(target)):
                    yield response
                    return
            finally:
                await response.aclose()
            url = target
        raise DownloadFailed("redirect", host=self.access.host, target=url.host)

    async def _redirect_target(self, response: httpx.Response) -> httpx.URL | None:
        if not response.has_redirect_location:
            return None
        return await self.check_redirect(response.url, response.headers["Location"])

    async def check_redirect(self, base: httpx.URL, location: str) -> httpx.URL:
        """Returns the URL to which `base` redirects. Raises DownloadFailed if it is not opened."""
        try:
            target = base.join(location)
        except (httpx.InvalidURL, ValueError) as exc:
            raise DownloadFailed("redirect", host=base.host, target="") from exc
        downgrade = base.scheme == "https" and target.scheme == "http"
        if target.scheme not in DEFAULT_PORT or not target.host or target.userinfo or downgrade:
            raise DownloadFailed("redirect", host=base.host, target=target.host)
        if not self.access.is_hub(target) and await self._leads_inside(target):
            raise DownloadFailed("redirect", host=base.host, target=target.host)
        return target

    async def _leads_inside(self, target: httpx.URL) -> bool:
        """Tells whether a hub on the Internet points into the network. Behind a proxy, the proxy resolves names."""
        if self._inside is None:
            self._inside = await is_inside(httpx.URL(self.access.endpoint))
        return not self._inside and await is_inside(target)


async def is_inside(url: httpx.URL) -> bool:
    """Tells whether a URL leads to an address that is not on the Internet. False if its name is unknown here."""
    if getproxies().keys() & {"http", "https", "all"} and not is_address(url.host):
        return False
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, None)
    except OSError:
        return False
    return any(not ip_address(str(address[0]).partition("%")[0]).is_global for *_, address in found)


def proxy_of(url: httpx.URL) -> str | None:
    """Returns host and port of the proxy for a URL, without the password; None if there is none."""
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    if not found or proxy_bypass(url.host):
        return None
    try:
        return httpx.URL(found if "://" in found else f"http://{found}").netloc.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        return None


def proxy_failure(exc: httpx.RequestError) -> DownloadFailed | None:
    """Returns the failure of a request that the proxy broke; None if the proxy is not the reason."""
    if isinstance(exc, httpx.ProxyError) and str(exc).startswith("407"):
        return DownloadFailed("proxy_login", proxy=proxy_of(exc.request.url) or "")
    is_away = isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout) and "untrusted" != reason_key(exc) != "no_tls"
    if is_away and (proxy := proxy_of(exc.request.url)):
        return DownloadFailed("proxy_away", host=exc.request.url.host, proxy=proxy)
    return None


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or DEFAULT_PORT.get(url.scheme)
