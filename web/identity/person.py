"""A person who is signed in, as a proxy's headers or an issuer's claims describe them. Pure.

Every value comes from outside. One that is doubled, too long, or not printable is taken for absent: a wrong person is
worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.access.names import build_names

VALUE_LIMIT_CHARS = 256
GROUPS_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Person:
    """`id`: stable, and the owner of their conversations."""

    id: str
    email: str = ""
    groups: tuple[str, ...] = ()
    title: str = ""  # the name that the page shows; "": the e-mail address or the id

    @property
    def owner(self) -> str:
        return f"person:{self.id}"

    @property
    def names(self) -> frozenset[str]:
        return build_names("user", (self.id, self.email)) | build_names("group", self.groups)

    @property
    def shown(self) -> str:
        return self.title or self.email or self.id


def read_value(values: Sequence[str]) -> str:
    """The only value of a header or claim; "" if it is absent, doubled or unusable."""
    value = values[0].strip() if len(values) == 1 else ""
    return value if is_usable(value) else ""


def is_usable(value: str) -> bool:
    """False for "", for bytes that are not UTF-8, for line breaks of folded headers, and for what is too long."""
    return 0 < len(value) <= VALUE_LIMIT_CHARS and value.isprintable()


def read_groups(values: Iterable[str]) -> tuple[str, ...]:
    """The usable groups, each once. None if there are too many to be true."""
    groups = tuple(dict.fromkeys(each.strip() for each in values if is_usable(each.strip())))
    return groups if len(groups) <= GROUPS_LIMIT else ()


def split_groups(headers: Sequence[str]) -> tuple[str, ...]:
    """The groups of a header that separates them by commas, as oauth2-proxy does. A doubled header has none."""
    return read_groups(headers[0].split(",")) if len(headers) == 1 else ()
