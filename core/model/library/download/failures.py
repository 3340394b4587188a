"""The reasons for which a download ends, each with a text in both languages (`error-download-*`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import httpx

from core.contract import Language
from core.errors import ModelError
from core.runtime.disk_faults import explain_disk_fault
from core.runtime.network_errors import explain
from core.texts import text

DownloadFault = Literal[
    "offline",  # HF_HUB_OFFLINE is set
    "endpoint",  # HF_ENDPOINT is not an http(s) URL
    "certificates",  # the file of certificates cannot be read
    "proxy",  # the proxy's variable cannot be used
    "proxy_login",  # 407
    "proxy_away",  # no connection to it
    "unreachable",  # no connection, or it broke
    "busy",  # 429, 5xx
    "protocol",  # an answer that the hub's API does not have
    "name",  # not owner/name
    "repository",  # 404, or private
    "token",  # the hub refuses the token
    "gated",  # its terms must be accepted first
    "forbidden",  # another refusal
    "file",  # it was removed from the repository
    "no_match",
    "ambiguous",
    "incomplete",  # the repository lacks parts of a split model
    "unsafe",  # a file name that leaves its folder
    "unchecked",  # nobody states a checksum
    "changed",  # not the file whose sha256 the catalogue states
    "corrupt",  # wrong bytes, several times
    "not_gguf",
    "redirect",
    "disk",  # too little room
    "unwritable",
    "crashed",  # an error of this program
]
TRANSIENT: frozenset[DownloadFault] = frozenset(
    {"unreachable", "busy", "protocol", "corrupt", "disk", "unwritable", "incomplete", "crashed", "proxy_away"}
)


class DownloadFailed(ModelError):
    """A download ended without its file. The message is English; `explain` has both languages.

    What arrived stays on disk, and the next attempt continues it.
    """

    def __init__(self, reason: DownloadFault, **values: str | float) -> None:
        self.reason = reason
        self.values = values
        super().__init__(self.explain("en"))

    @property
    def transient(self) -> bool:
        """True if a later attempt may succeed without a change by the operator."""
        return self.reason in TRANSIENT

    def explain(self, language: Language) -> str:
        return text(f"error-download-{self.reason}", language, **self.values)


class HubUnreachable(DownloadFailed):
    """No connection to the hub or to its file servers, or one that broke."""

    def __init__(self, cause: httpx.RequestError) -> None:
        self.cause = cause
        super().__init__("unreachable", host=host_of(cause))

    def explain(self, language: Language) -> str:
        return text("error-download-unreachable", language, cause=explain(self.cause, language), **self.values)


class DiskUnusable(DownloadFailed):
    """The disk refused a file of a download, and is not full."""

    def __init__(self, cause: OSError, folder: Path) -> None:
        self.cause = cause
        super().__init__("unwritable", folder=str(folder))

    def explain(self, language: Language) -> str:
        cause = explain_disk_fault(self.cause, language)
        return text("error-download-unwritable", language, cause=cause, **self.values)


def host_of(cause: httpx.RequestError) -> str:
    try:
        return cause.request.url.host
    except RuntimeError:
        return ""
