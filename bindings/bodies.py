"""A body that a platform sends, read up to a limit: what it says of its length need not be true. Knows no client."""

from __future__ import annotations

from collections.abc import AsyncIterable

from bindings.delivery.outlet import Refused

CHUNK_BYTES = 1 << 16


async def bounded(pieces: AsyncIterable[bytes], limit_bytes: int, sender: str) -> bytes:
    """Raises Refused if there is more. `sender` is named to the operator."""
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit_bytes:
            raise too_large(sender, limit_bytes)
    return bytes(body)


def too_large(sender: str, limit_bytes: int) -> Refused:
    return Refused(f"{sender} sent more than {limit_bytes} bytes, and no more are allowed")
