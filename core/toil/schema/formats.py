"""Which formats are held while writing, and how: by the engine's own, or by a pattern no wider than the format.

The check asserts what its validator knows; a format that neither knows is an annotation, as the specification says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.toil.schema.drafts import Draft

NATIVE = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"}
# Narrower than the format where it says so: what is written conforms, and not all that conforms can be written.
SHAPED = {"date-time", "time", "date", "hostname", "idn-hostname"}  # the calendar and punycode are left to the check
INSTEAD: Mapping[str, Mapping[str, Any]] = {
    "idn-email": {"format": "email"},  # narrower
    "idn-hostname": {"format": "hostname"},  # narrower
    "iri": {"format": "uri"},  # narrower
    "uri-reference": {"pattern": r"^[A-Za-z0-9._~/?=&-]*(#[A-Za-z0-9._~/?=&-]*)?$"},  # narrower
    "iri-reference": {"pattern": r"^[A-Za-z0-9._~/?=&-]*(#[A-Za-z0-9._~/?=&-]*)?$"},  # narrower
    "uri-template": {"pattern": r"^([A-Za-z0-9._~/:?=&-]|\{[A-Za-z0-9_]+\})*$"},  # narrower
    "json-pointer": {"pattern": r"^(/([^~/]|~[01])*)*$"},
    "relative-json-pointer": {"pattern": r"^(0|[1-9][0-9]*)(#|(/([^~/]|~[01])*)*)$"},
    "regex": {"pattern": r"^[A-Za-z0-9 ._^$-]*$"},  # narrower
}
SINCE: Mapping[str, Draft] = {
    **dict.fromkeys(("date-time", "email", "hostname", "ipv4", "ipv6", "uri"), Draft.DRAFT4),
    **dict.fromkeys(("uri-reference", "uri-template", "json-pointer"), Draft.DRAFT6),
    **dict.fromkeys(("date", "time", "regex", "relative-json-pointer"), Draft.DRAFT7),
    **dict.fromkeys(("idn-email", "idn-hostname", "iri", "iri-reference"), Draft.DRAFT7),
    **dict.fromkeys(("duration", "uuid"), Draft.DRAFT2019),
}


def asserted(name: Any, draft: Draft) -> bool:
    return isinstance(name, str) and name in SINCE and draft >= SINCE[name]


def held(name: str) -> Mapping[str, Any]:
    """The keywords that hold a format."""
    return {"format": name} if name in NATIVE else INSTEAD[name]
