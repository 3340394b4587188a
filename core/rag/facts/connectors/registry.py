"""The connectors by the word that config/facts.toml uses for the kind of an origin."""

from __future__ import annotations

from collections.abc import Mapping

from core.rag.facts.connectors.csv_rows import CsvConnector
from core.rag.facts.connectors.feed import FeedConnector
from core.rag.facts.connectors.guessed import GuessedConnector
from core.rag.facts.connectors.json_endpoint import JsonConnector
from core.rag.facts.connectors.local_files import FileConnector, FolderConnector
from core.rag.facts.connectors.openapi import OpenApiConnector
from core.rag.facts.connectors.page import PageConnector
from core.rag.facts.connectors.protocol import OriginConnector
from core.rag.facts.connectors.sitemap import SitemapConnector

CONNECTORS: Mapping[str, type[OriginConnector]] = {
    "guessed": GuessedConnector,
    "file": FileConnector,
    "folder": FolderConnector,
    "csv": CsvConnector,
    "page": PageConnector,
    "sitemap": SitemapConnector,
    "feed": FeedConnector,
    "json": JsonConnector,
    "openapi": OpenApiConnector,
}
