"""A stand-in of the Hugging Face hub on this machine: its API, and a file server on another port.

It states sizes and checksums as the hub does (LFS entries, X-Linked-Etag, X-Linked-Size), redirects to signed addresses
that may expire, and serves byte ranges. Faults are scripted: each request for bytes takes the next one. Tests and
`benchmarks.downloads` use it; huggingface_hub's own downloader works with it too.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

REPO = "someone/A-Model-GGUF"
BLOCK_BYTES = 32 * 1024
COMMIT = "c" * 40


@dataclass(frozen=True)
class Fault:
    """Happens to one request for bytes, after it has sent `after_bytes` of the body."""

    after_bytes: int = 0
    status: int | None = None  # instead of a body
    headers: dict[str, str] = field(default_factory=dict)  # with the status, or in place of the right ones
    flip: bool = False  # the next byte is wrong, the others follow
    stall: bool = False  # nothing follows, and the connection stays open until the hub stops
    extra: bytes = b""  # sent after the body, beyond the stated length
    # If none of these is set, the connection is cut.

    @property
    def cuts(self) -> bool:
        return not (self.status or self.flip or self.stall or self.extra or self.headers)


@dataclass(frozen=True)
class HubRequest:
    server: str  # "hub" or "cdn"
    method: str
    path: str
    byte_range: str | None
    token: str | None


class FakeHub:
    """One repository with `files`. Attributes may change while it serves."""

    def __init__(
        self, files: dict[str, bytes] | None = None, repo: str = REPO, *, certificate: Path | None = None
    ) -> None:
        """`certificate`: of "localhost", with its key; the hub then speaks TLS."""
        self.repo = repo
        self.files = files or {}
        self.stated: dict[str, str] = {}  # sha256 by file, if not that of its bytes
        self.listed: Callable[[dict[str, Any]], dict[str, Any]] = lambda entry: entry  # changes entries of the API
        self.linked = True  # X-Linked-Etag and X-Linked-Size
        self.redirects = True  # to the file server; False: the hub sends the bytes itself
        self.ranges = True
        self.refuses_head = False
        self.faults: deque[Fault] = deque()
        self.statuses: deque[tuple[int, dict[str, str]]] = (
            deque()
        )  # answers of the hub itself, instead of the next ones
        self.location: str | None = None  # the target of the redirect, if not the file server
        self.url_uses: int | None = None  # requests for which a signed address is valid
        self.bytes_per_s: float | None = None  # of all connections together
        self.required_token: str | None = None
        self.gated = False
        self.before_block: Callable[[HubRequest, int], None] = lambda request, position: None
        self.requests: list[HubRequest] = []
        self.sent: list[tuple[str, int, int]] = []  # (file, first position, position after the last)
        self._signed: dict[str, int] = {}
        self._digests: dict[int, str] = {}
        self._next_send = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._servers = {name: serve(self, name, certificate) for name in ("hub", "cdn")}
        self._base = "https://localhost" if certificate else "http://127.0.0.1"
        self.url = f"{self._base}:{self._servers['hub'].server_port}"

    def __enter__(self) -> FakeHub:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stopped.set()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    @property
    def body_requests(self) -> list[HubRequest]:
        return [each for each in self.requests if each.method == "GET" and "/api/" not in each.path]

    @property
    def sent_bytes(self) -> int:
        return sum(end - start for _name, start, end in self.sent)

    def bytes_sent_twice(self) -> int:
        """The bytes that were sent again after they had been sent once."""
        twice = 0
        for name in {name for name, _start, _end in self.sent}:
            covered = 0
            for start, end in sorted((start, end) for each, start, end in self.sent if each == name):
                twice += max(0, min(end, covered) - start)
                covered = max(covered, end)
        return twice

    def sha256(self, name: str) -> str:
        if name in self.stated:
            return self.stated[name]
        data = self.files[name]
        if id(data) not in self._digests:
            self._digests[id(data)] = hashlib.sha256(data).hexdigest()
        return self._digests[id(data)]

    def describe(self) -> dict[str, Any]:
        """The repository, as `GET /api/models/…?blobs=true` describes it."""
        siblings = [
            self.listed(
                {
                    "rfilename": name,
                    "size": len(data),
                    "blobId": "b" * 40,
                    "lfs": {"sha256": self.sha256(name), "size": len(data), "pointerSize": 134},
                }
            )
            for name, data in self.files.items()
        ]
        return {"_id": "1", "id": self.repo, "modelId": self.repo, "sha": COMMIT, "siblings": siblings, "tags": []}

    def sign(self, name: str) -> str:
        """An address of the file server, valid for `url_uses` requests."""
        signature = f"s{len(self._signed)}"
        self._signed[signature] = 0
        port = self._servers["cdn"].server_port
        return f"{self._base}:{port}/files/{quote(name)}?signature={signature}"

    def take_signature(self, signature: str) -> bool:
        """Counts a use of a signed address. False if it has expired."""
        with self._lock:
            if signature not in self._signed:
                return False
            self._signed[signature] += 1
            return self.url_uses is None or self._signed[signature] <= self.url_uses

    def next_fault(self) -> Fault | None:
        with self._lock:
            return self.faults.popleft() if self.faults else None

    def next_status(self) -> tuple[int, dict[str, str]] | None:
        with self._lock:
            return self.statuses.popleft() if self.statuses else None

    def throttle(self, count: int) -> None:
        """Waits until `count` more bytes may be sent."""
        if self.bytes_per_s is None:
            return
        with self._lock:
            now = time.monotonic()
            self._next_send = max(self._next_send, now) + count / self.bytes_per_s
            wait_s = self._next_send - now
        self._stopped.wait(wait_s)

    def wait_until_stopped(self) -> None:
        self._stopped.wait()


@contextmanager
def fake_hub(files: dict[str, bytes] | None = None, repo: str = REPO) -> Iterator[FakeHub]:
    with FakeHub(files, repo) as hub:
        yield hub


def serve(hub: FakeHub, role: str, certificate: Path | None) -> ThreadingHTTPServer:
    class Handler(HubHandler):
        pass

    Handler.hub, Handler.role = hub, role
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


class HubHandler(BaseHTTPRequestHandler):
    hub: FakeHub
    role: str
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        # A byte counts as sent once the kernel takes it: large buffers would count bytes that no client receives.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BLOCK_BYTES)

    def do_HEAD(self) -> None:
        if self.hub.refuses_head:
            self.reply(405)
        else:
            self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        request = HubRequest(self.role, self.command, self.path, self.headers.get("Range"), token)
        self.hub.requests.append(request)
        path = unquote(urlsplit(self.path).path)
        try:
            if self.role == "cdn":
                self.answer_file_server(request, path)
            elif status := self.hub.next_status():
                self.reply(*status)
            elif path.startswith("/api/models/"):
                self.answer_api(request, path.removeprefix("/api/models/"))
            else:
                self.answer_resolve(request, path)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer_api(self, _request: HubRequest, repo: str) -> None:
        if re.sub("/revision/.*", "", repo) != self.hub.repo:
            self.reply(404, {"X-Error-Code": "RepoNotFound"})
        else:
            self.reply(200, {"Content-Type": "application/json"}, json.dumps(self.hub.describe()).encode())

    def answer_resolve(self, request: HubRequest, path: str) -> None:
        repo, _, rest = path.removeprefix("/").partition("/resolve/")
        name = rest.partition("/")[2]
        if repo != self.hub.repo:
            self.reply(404, {"X-Error-Code": "RepoNotFound"})
        elif self.hub.gated:
            self.reply(403 if request.token else 401, {"X-Error-Code": "GatedRepo"})
        elif self.hub.required_token and request.token != self.hub.required_token:
            self.reply(401, {"X-Error-Code": "RepoNotFound"} if not request.token else {})
        elif name not in self.hub.files:
            self.reply(404, {"X-Error-Code": "EntryNotFound"})
        elif self.hub.redirects:
            self.redirect(name)
        else:
            headers = {"ETag": f'"{self.hub.sha256(name)}"', "X-Repo-Commit": COMMIT}
            self.send_file(request, name, headers)

    def redirect(self, name: str) -> None:
        headers = {"X-Repo-Commit": COMMIT, "Location": self.hub.location or self.hub.sign(name)}
        if self.hub.linked:
            headers |= {"X-Linked-Etag": f'"{self.hub.sha256(name)}"', "X-Linked-Size": str(len(self.hub.files[name]))}
        self.reply(302, headers)

    def answer_file_server(self, request: HubRequest, path: str) -> None:
        signature = parse_qs(urlsplit(self.path).query).get("signature", [""])[0]
        name = path.removeprefix("/files/")
        if name not in self.hub.files or not self.hub.take_signature(signature):
            self.reply(403)
        else:
            self.send_file(request, name, {"ETag": f'"cdn-{self.hub.sha256(name)[:8]}"'})

    def send_file(self, request: HubRequest, name: str, headers: dict[str, str]) -> None:
        data = self.hub.files[name]
        start, end = 0, len(data)
        status = 200
        if self.hub.ranges and (found := re.fullmatch(r"bytes=(\d+)-(\d*)", request.byte_range or "")):
            start, end = int(found[1]), min(int(found[2] or len(data)) + 1, len(data))
            status = 206
            headers = {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
        if start >= len(data) > 0:
            self.reply(416, {"Content-Range": f"bytes */{len(data)}"})
            return
        fault = self.hub.next_fault() if self.command == "GET" else None
        if fault and fault.status:
            self.reply(fault.status, fault.headers)
            return
        accepts = {"Accept-Ranges": "bytes"} if self.hub.ranges else {}
        self.start_reply(status, {**headers, **accepts, **(fault.headers if fault else {})}, end - start)
        if self.command == "GET":
            self.send_body(request, name, start, end, fault)

    def send_body(self, request: HubRequest, name: str, start: int, end: int, fault: Fault | None) -> None:
        data, position = memoryview(self.hub.files[name]), start
        fault_at = start + fault.after_bytes if fault and not fault.headers else None
        while position < end:
            if fault and position == fault_at and self.suffer(fault, data[position]):
                position += 1
                continue
            if self.close_connection:
                return
            until = min(position + BLOCK_BYTES, end)
            if fault_at is not None and position < fault_at:
                until = min(until, fault_at)
            self.hub.throttle(until - position)
            self.hub.before_block(request, position)
            self.send_counted(name, data, position, until)
            position = until
        if fault and fault.extra:
            self.connection.sendall(fault.extra)
            self.close_connection = True

    def suffer(self, fault: Fault, byte: int) -> bool:
        """Returns True if a wrong byte was sent. Ends the connection for other faults."""
        if fault.flip:
            self.connection.sendall(bytes([byte ^ 0xFF]))
            return True
        if fault.stall:
            self.hub.wait_until_stopped()
        if fault.cuts or fault.stall:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        return False

    def send_counted(self, name: str, data: memoryview, position: int, until: int) -> None:
        """Sends bytes, and counts those that the kernel took also if the client is gone."""
        first = position
        try:
            while position < until:
                position += self.connection.send(data[position:until])
        finally:
            self.hub.sent.append((name, first, position))

    def reply(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.start_reply(status, headers or {}, len(body))
        if self.command == "GET":
            self.wfile.write(body)

    def start_reply(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass
