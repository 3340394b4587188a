"""What an operator allows although it looks like personal information: the government's own addresses and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.privacy import email_addresses, postal_codes, telephones
from core.privacy.digits import digits_of
from core.privacy.findings import Finding


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Whole values, and beginnings of values."""

    values: frozenset[str]
    beginnings: tuple[str, ...]

    def has(self, value: str) -> bool:
        return value in self.values or (bool(self.beginnings) and value.startswith(self.beginnings))


@dataclass(frozen=True, slots=True)
class Allowances:
    """`emails`: addresses and domains, which cover their subdomains. `telephones`, `postal_codes`: one that ends
    with "*" covers all that begin alike. `passages`: texts of any kind, compared by letters and digits alone.
    """

    emails: tuple[str, ...] = ()
    telephones: tuple[str, ...] = ()
    postal_codes: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    _domains: tuple[str, ...] = field(init=False, repr=False)
    _telephones: Prefixes = field(init=False, repr=False)
    _postal_codes: Prefixes = field(init=False, repr=False)
    _passages: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        domains = tuple(each.casefold().removeprefix("*").removeprefix("@") for each in self.emails)
        object.__setattr__(self, "_domains", domains)
        object.__setattr__(self, "_telephones", prefixes((each, normalize_number(each)) for each in self.telephones))
        object.__setattr__(self, "_postal_codes", prefixes((each, bare(each)) for each in self.postal_codes))
        object.__setattr__(self, "_passages", frozenset(map(bare, self.passages)))

    def allows(self, finding: Finding, passage: str) -> bool:
        """`passage`: the finding's text, in small letters."""
        match finding.kind:
            case email_addresses.KIND:
                is_allowed = self._allows_email(email_addresses.canonical(passage))
            case telephones.KIND:
                is_allowed = self._telephones.has(telephones.canonical(passage))
            case postal_codes.KIND:
                is_allowed = self._postal_codes.has(postal_codes.canonical(passage))
            case _:
                is_allowed = False
        return is_allowed or (bool(self._passages) and bare(passage) in self._passages)

    def _allows_email(self, address: str) -> bool:
        domain = address.rpartition("@")[2]
        return address in self._domains or any(domain == each or domain.endswith(f".{each}") for each in self._domains)


def prefixes(allowed: Iterable[tuple[str, str]]) -> Prefixes:
    """`allowed`: each as the operator wrote it, and its normal form."""
    pairs = tuple(allowed)
    return Prefixes(
        frozenset(normal for written, normal in pairs if not written.endswith("*")),
        tuple(normal for written, normal in pairs if written.endswith("*")),
    )


def normalize_number(number: str) -> str:
    """The digits, without the country code of North America."""
    digits = digits_of(number)
    is_international = number.lstrip().startswith("+") and not digits.startswith("1")
    return digits if is_international else digits.removeprefix("1")


def bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
