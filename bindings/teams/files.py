"""Files in Teams: downloads, and answers that a person saves to OneDrive.

An answer's file waits on disk until the person accepts the offer, which may be after a restart. URLs come in
activities, so only Microsoft's hosts are called, and only the connector receives the bot's token.
Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urljoin

import httpx
import structlog
from botbuilder.schema import Activity, Attachment
from botbuilder.schema.teams import FileInfoCard

from bindings.delivery.context import DeliveryContext, RetryingCaller
from bindings.delivery.outlet import DeliveryError, Gone, Refused, Upload
from bindings.incoming import Place
from bindings.teams import messages, transport
from bindings.teams.activities import activity_language, get_text, get_value
from bindings.teams.connector import Connector
from bindings.teams.credentials import Credentials
from bindings.teams.graph import GraphReader
from bindings.teams.mapping import build_place
from bindings.teams.transport import HttpResponse, TrustedHosts
from core.contract import Language
from core.errors import StorageError
from core.language import parse_language_tag
from core.runtime.atomic_files import write_atomically
from core.runtime.disk_faults import explain_disk_fault
from core.texts import text

log = structlog.get_logger()

DEADLINE_S = 30.0
REDIRECTS_LIMIT = 3
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
KEEP_S = 24 * 3600.0
PENDING_LIMIT = 500
NAME_BYTES = 18
NAME = re.compile(r"[A-Za-z0-9_-]{24}")  # NAME_BYTES in Base64; never a path from a caller
HEADER_LIMIT_BYTES = 8192
FILE_CARD = "application/vnd.microsoft.teams.card.file.info"

Result = TypeVar("Result")


class TeamsFiles:
    """Downloads and uploads files. Methods raise DeliveryError."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        credentials: Credentials | None,
        hosts: TrustedHosts,
        graph: GraphReader | None = None,
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._hosts = hosts
        self._graph = graph

    async def fetch(self, url: str, limit_bytes: int) -> bytes:
        """Downloads a file. Raises Refused if it is larger than the limit, or not on a host of Microsoft."""
        if self._graph and self._graph.is_graph(url):
            url = await self._graph.find_download(url)
        for _ in range(REDIRECTS_LIMIT + 1):
            headers = await self._build_headers(url)
            response = await transport.call(
                self._http, "GET", url, headers=headers, limit_bytes=limit_bytes, deadline_s=DEADLINE_S
            )
            if response.status not in REDIRECT_STATUSES:
                break
            url = urljoin(url, response.headers.get("Location", ""))
        raise_for_status(response)
        return response.body

    async def put(self, upload: Upload, url: str) -> None:
        """Uploads a file to the URL that Teams gave when the person accepted it."""
        if not self._hosts.has_files(url):
            raise untrusted_host(url)
        size = len(upload.body)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes 0-{max(0, size - 1)}/{size}",
        }
        raise_for_status(
            await transport.call(self._http, "PUT", url, headers=headers, content=upload.body, deadline_s=DEADLINE_S)
        )

    async def _build_headers(self, url: str) -> dict[str, str]:
        if self._hosts.is_connector(url):  # it keeps the pictures of messages, and requires the token
            token = await self._credentials.token() if self._credentials else None
            return {"Authorization": f"Bearer {token}"} if token else {}
        if self._hosts.has_files(url):
            return {}
        raise untrusted_host(url)


def untrusted_host(url: str) -> Refused:
    return Refused(f"{transport.url_host(url)} is not a host of Microsoft's files")


def raise_for_status(response: HttpResponse) -> None:
    if 200 <= response.status < 300:
        return
    response.raise_if_transient("OneDrive")
    if response.status in (404, 410):
        raise Gone("the file no longer exists in OneDrive")
    raise Refused(f"OneDrive answered {response.status}")


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file that waits until a person in a conversation accepts it."""

    upload: Upload
    conversation: str


class PendingFiles:
    """Keeps pending files on disk, at most PENDING_LIMIT for KEEP_S, under names that cannot be guessed.

    A file in the folder has a header (one line of JSON) before its content. `clock` gives seconds since 1970. Methods
    raise StorageError.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    async def add(self, file: PendingFile) -> str:
        """Returns the file's name. The file is durable when this returns."""
        return await self._run(lambda: self._add(file))

    async def find(self, name: str, conversation: str) -> PendingFile | None:
        """Returns the file and keeps it. None: it was removed, or belongs to another conversation."""
        return await self._run(lambda: self._find(name, conversation))

    async def remove(self, name: str) -> None:
        await self._run(lambda: self._path(name).unlink(missing_ok=True) if is_name(name) else None)

    async def remove_conversation(self, conversation: str) -> None:
        """Removes all files of a conversation."""
        await self._run(lambda: self._remove_conversation(conversation))

    async def purge(self) -> None:
        """Removes files older than KEEP_S, and the oldest above PENDING_LIMIT."""
        await self._run(self._purge)

    async def _run(self, act: Callable[[], Result]) -> Result:
        """Runs `act` in a thread."""
        try:
            return await asyncio.to_thread(act)
        except OSError as exc:
            raise StorageError(f"{self._folder}: {explain_disk_fault(exc)}") from exc

    def _add(self, file: PendingFile) -> str:
        self._purge()
        name = secrets.token_urlsafe(NAME_BYTES)
        upload = file.upload
        header = {"name": upload.name, "media_type": upload.media_type, "conversation": file.conversation}
        write_atomically(self._path(name), json.dumps(header).encode() + b"\n" + upload.body, durable=True)
        return name

    def _find(self, name: str, conversation: str) -> PendingFile | None:
        if not is_name(name) or not self._path(name).is_file():
            return None
        with self._path(name).open("rb") as file:
            header = read_header(file)
            if header["conversation"] != conversation:
                return None
            return PendingFile(Upload(header["name"], header["media_type"], file.read()), conversation)

    def _remove_conversation(self, conversation: str) -> None:
        for path in filter(lambda path: is_name(path.name), self._paths()):
            with path.open("rb") as file:
                is_match = read_header(file)["conversation"] == conversation
            if is_match:
                path.unlink(missing_ok=True)

    def _purge(self) -> None:
        newest_first = sorted(((path.stat().st_mtime, path) for path in self._paths()), reverse=True)
        for number, (modified_at, path) in enumerate(newest_first):
            if number >= PENDING_LIMIT or modified_at < self._clock() - KEEP_S:
                path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return list(self._folder.iterdir()) if self._folder.is_dir() else []

    def _path(self, name: str) -> Path:
        return self._folder / name


def read_header(file: BinaryIO) -> dict[str, str]:
    header: dict[str, str] = json.loads(file.readline(HEADER_LIMIT_BYTES))
    return header


def is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None


class FileConsents:
    """Carries out a person's reply to the offer of a file. `context` has the retry policy for a busy OneDrive."""

    def __init__(
        self,
        connector: Connector,
        files: TeamsFiles,
        pending: PendingFiles,
        hosts: TrustedHosts,
        context: DeliveryContext,
    ) -> None:
        self._connector = connector
        self._files = files
        self._pending = pending
        self._hosts = hosts
        self._context = context
        self._running: set[str] = set()  # names of files: a person may accept on two devices

    async def handle(self, activity: Activity) -> None:
        """Handles an invoke of `fileConsent/invoke`, then deletes the offer. Raises DeliveryError, StorageError."""
        name = get_text(activity.value, "context", "parcel")
        if name in self._running:
            return
        place = build_place(activity)
        self._running.add(name)
        try:
            if get_text(activity.value, "action") == "accept":
                await self._save(name, activity, place)
            else:
                await self._pending.remove(name)
            if activity.reply_to_id:
                await self._connector.delete(place, activity.reply_to_id)
        finally:
            self._running.discard(name)

    async def _save(self, name: str, activity: Activity, place: Place) -> None:
        language = offer_language(activity)
        file = await self._pending.find(name, place.route["conversation"])
        if file is None:
            expired = text("teams-file-expired", language)
            await self._connector.send(place, messages.build_notice(expired, place, language))
            return
        info = get_value(activity.value, "uploadInfo")
        try:
            caller, upload_url = RetryingCaller(self._context), get_text(info, "uploadUrl")
            await caller.call_until_done(lambda: caller.call(lambda: self._files.put(file.upload, upload_url)))
        except DeliveryError as exc:
            log.warning("file_upload_failed", size_bytes=len(file.upload.body), problem=exc.message)
            reply = messages.build_notice(text("teams-file-failed", language), place, language)
        else:
            reply = messages.build_card(self._file_card(info, file.upload), place, language)
        # After a failure too: the offer is deleted, so nobody can accept the file again.
        await self._pending.remove(name)
        await self._connector.send(place, reply)

    def _file_card(self, info: object, upload: Upload) -> Attachment:
        """Builds the card of a saved file from Teams' `uploadInfo`."""
        card = FileInfoCard(unique_id=get_text(info, "uniqueId"), file_type=get_text(info, "fileType"))
        url = get_text(info, "contentUrl")
        return Attachment(
            content_type=FILE_CARD,
            name=get_text(info, "name") or upload.name,
            content_url=url if self._hosts.has_files(url) else None,
            content=card.serialize(),
        )


def offer_language(activity: Activity) -> Language:
    """Returns the language of the offer, which may differ from the client's."""
    return parse_language_tag(get_text(activity.value, "context", "language")) or activity_language(activity) or "en"
