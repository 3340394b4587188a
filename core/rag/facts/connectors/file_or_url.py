"""The place of an origin that is one file or one URL. Shared by several kinds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self

from pydantic import model_validator

from core.configuration.setting_types import PathStr
from core.errors import NotFound
from core.rag.facts.connectors.local_files import file_key
from core.rag.facts.connectors.protocol import ConnectorTools, OriginConnector, WebUrl


class FileOrUrlConnector(OriginConnector):
    """`path` or `url`."""

    path: PathStr | None = None
    url: WebUrl | None = None

    @model_validator(mode="after")
    def has_one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("either `path` or `url` is required")
        return self

    def origin_name(self, tools: ConnectorTools) -> str:
        return self.url or file_key(tools.resolve(self.path or ""))

    async def local_file(self, tools: ConnectorTools) -> Path:
        """Returns the path of the file. Raises NotFound."""
        path = tools.resolve(self.path or "")
        if not await asyncio.to_thread(path.is_file):
            raise NotFound(f"{path}: there is no such file")
        return path
