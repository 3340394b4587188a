"""Lists the documents of origins: of those that config/facts.toml names, and of a path or URL that somebody types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.rag.facts.connectors.guessed import GuessedConnector
from core.rag.facts.connectors.protocol import ConnectorTools, Origin, OriginConnector
from core.rag.fetching.fetch import PageFetcher
from core.rag.reading.reader import DocumentReader


class Origins:
    """`folder`: where relative paths start; None: in the working folder."""

    def __init__(
        self,
        fetcher: PageFetcher,
        reader: DocumentReader,
        folder: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        given = {"folder": folder, "environ": environ}
        self.tools = ConnectorTools(
            fetcher,
            reader,
            **{key: value for key, value in given.items() if value is not None},  # type: ignore[arg-type]
        )

    async def find(self, path_or_url: str) -> Origin:
        """Lists a path or URL by its content. Raises NotFound, FetchRefused, FetchFailed, UnreadableDocument."""
        return await self.list(GuessedConnector(place=path_or_url))

    async def list(self, connector: OriginConnector) -> Origin:
        """Raises what `find` raises, and ConfigError."""
        return await connector.list_origin(self.tools)

    def name_of(self, connector: OriginConnector) -> str:
        """The name under which the origin's documents are stored."""
        return connector.origin_name(self.tools)
