"""The common parts of the metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from core.contract import Usage
from core.runtime.http_server import count_tokens, metrics_response


def test_tokens_are_counted_by_kind() -> None:
    """The page of the registry shows the sum for each kind."""
    registry = CollectorRegistry()
    tokens = Counter("tokens", "Tokens", ("kind",), registry=registry)
    count_tokens(tokens, Usage(7, 3, 2))
    count_tokens(tokens, Usage(1, 1, 1))

    response = metrics_response(registry)
    assert response.content_type == "text/plain"
    assert isinstance(response.body, bytes)
    lines = response.body.decode().splitlines()
    assert 'tokens_total{kind="prompt"} 8.0' in lines
    assert 'tokens_total{kind="completion"} 4.0' in lines
    assert 'tokens_total{kind="cached"} 3.0' in lines
