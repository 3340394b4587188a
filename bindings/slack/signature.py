"""Whether a webhook was signed by Slack, a short time ago. Pure, total, and in constant time.

https://docs.slack.dev/authentication/verifying-requests-from-slack/ . The SDK's own verifier raises on timestamps that
are no numbers, on signatures that are not ASCII, and on bodies that are not UTF-8.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

AGE_LIMIT_S = 300
TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


def signed(secret: str, timestamp: str, body: bytes) -> str:
    """What Slack would send as X-Slack-Signature."""
    basis = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), basis, hashlib.sha256).hexdigest()


def genuine(secret: str, timestamps: Sequence[str], signatures: Sequence[str], body: bytes, now_s: float) -> bool:
    """`timestamps` and `signatures` are all headers of that name: more than one is nothing that Slack sends."""
    if len(timestamps) != 1 or len(signatures) != 1 or not TIMESTAMP.fullmatch(timestamps[0]):
        return False
    if abs(now_s - int(timestamps[0])) > AGE_LIMIT_S:
        return False
    expected = signed(secret, timestamps[0], body).encode()
    return hmac.compare_digest(expected, signatures[0].encode("utf-8", "surrogatepass"))
