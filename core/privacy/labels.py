"""The words that say what a number or a date is: "SIN", "né le", "invoice no.".

A label of a kind supports a detector. A label of REFERENCE says that the number after it names a thing: an invoice, a
file, a product. Labels are compared without accents, and with one space for each sign between words.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.privacy.readable_text import ReadableText

REFERENCE = "reference"
REFERENCE_REACH_CHARS = 24  # "invoice number (GST incl.): "
WORDS: Mapping[str, tuple[str, ...]] = {
    "sin": (
        *("sin", "s i n", "nas", "n a s", "social insurance", "social insurance number", "social insurance no"),
        *("assurance sociale", "numero d assurance sociale", "sin number", "numero nas"),
    ),
    "payment_card": (
        *("credit card", "debit card", "card", "card number", "card no", "carte", "carte de credit", "carte de debit"),
        *("numero de carte", "visa", "mastercard", "master card", "amex", "american express", "interac", "cc"),
    ),
    "email": ("email", "e mail", "mail", "courriel", "adresse courriel", "email address", "courrier electronique"),
    "telephone": (
        *("phone", "phone number", "telephone", "tel", "cell", "cellphone", "cellular", "mobile", "cellulaire", "fax"),
        *("portable", "telecopieur", "call", "text", "sms", "whatsapp", "appelez", "appeler", "textez", "telephonez"),
        *("numero de telephone", "joindre", "reach me", "reach him", "reach her", "home phone", "work phone", "dial"),
        *("joignez", "composez", "contact number", "phone no", "telephone number", "cell number"),
    ),
    "passport": ("passport", "passport number", "passport no", "passeport", "numero de passeport", "travel document"),
    "health_card": (
        *("health card", "health card number", "healthcard", "health number", "health insurance number", "health care"),
        *("health care number", "health care card", "personal health", "personal health number", "health insurance"),
        *("carte sante", "carte soleil", "carte d assurance maladie", "assurance maladie", "numero de sante"),
        *("numero de carte sante", "numero d assurance maladie", "numero personnel de sante", "hcn", "phn", "phin"),
        *("ohip", "ramq", "ramo", "ahcip", "mcp", "msi", "msp", "hsn", "medicare", "medicare number", "nam"),
        *("health id", "health services number", "healthcare number", "carte de sante", "assurance sante"),
    ),
    "birth_date": (
        *("born", "born on", "dob", "d o b", "date of birth", "birth date", "birthdate", "birthday", "birth day"),
        *("dateofbirth", "datedenaissance", "datenaissance", "date de naissance", "naissance", "ddn", "d d n"),
        *("ne le", "nee le", "ne e le", "ne(e) le", "date d anniversaire", "naquit le", "nele"),
    ),
    "postal_code": ("postal code", "code postal", "postal", "postalcode"),
    REFERENCE: (
        *("invoice", "facture", "file", "dossier", "case", "cas", "purchase order", "bon de commande", "po", "order"),
        *("contract", "contrat", "reference", "ref", "ticket", "isbn", "issn", "isbn 10", "isbn 13", "doi", "version"),
        *("build", "commande", "request", "demande", "tracking", "suivi", "serial", "serie", "part", "piece", "bn"),
        *("business number", "numero d entreprise", "gst", "tps", "hst", "tvh", "qst", "tvq", "position", "grant"),
        *("subvention", "solicitation", "appel d offres", "bid", "permit", "permis", "licence", "license", "account"),
        *("compte", "registration", "enregistrement", "inscription", "model", "modele", "sku", "upc", "item", "lot"),
        *("article", "batch", "project", "projet", "form", "formulaire", "document", "cheque", "transaction", "claim"),
        *("confirmation", "reclamation", "work order", "vendor", "fournisseur", "asset", "inventory", "inventaire"),
        *("policy", "duns", "patent", "brevet", "docket", "greffe", "receipt", "recu", "invoice number", "numero de"),
        *("catalogue", "catalog", "code", "barcode", "gtin", "imei", "id", "identifiant", "record", "revision"),
        *(
            "quote",
            "soumission",
            "requisition",
            "payroll batch",
            "ledger",
            "barre",
            "procurement",
            "product",
            "produit",
        ),
    ),
}
WORD = re.compile("[a-z]+")
SEPARATORS = dict.fromkeys(map(ord, "_-.'’\n\t"), " ")


class UnaccentedCharacters(dict[int, str]):
    """The letter without its accent, and one space for each sign that separates words."""

    def __missing__(self, code: int) -> str:
        self[code] = SEPARATORS.get(code) or unicodedata.normalize("NFKD", chr(code))[:1]
        return self[code]


UNACCENTED = UnaccentedCharacters()
LABELS: Mapping[str, str] = {label: kind for kind, labels in WORDS.items() for label in labels}
BY_FIRST_WORD: dict[str, list[str]] = {}
for _label in sorted(LABELS, key=len, reverse=True):  # of two that begin alike, the longer one counts
    BY_FIRST_WORD.setdefault(WORD.findall(_label)[0], []).append(_label)


@dataclass(frozen=True, slots=True)
class Label:
    kind: str
    start: int
    end: int


class Labels:
    """The labels of a text, in order."""

    def __init__(self, text: ReadableText) -> None:
        unaccented = text.folded.translate(UNACCENTED)
        self._labels = list(find_labels(unaccented))
        self._starts = [label.start for label in self._labels]
        self._ends = [label.end for label in self._labels]

    def of(self, kind: str) -> Iterator[Label]:
        return (label for label in self._labels if label.kind == kind)

    def nearest(self, position: int, reach_chars: int) -> Label | None:
        """The last label before `position` that ends within reach."""
        index = bisect_right(self._ends, position) - 1 if self._ends else -1
        if index < 0 or self._ends[index] < position - reach_chars:
            return None
        return self._labels[index]

    def has(self, kind: str, start: int, end: int) -> bool:
        """True if a label of the kind ends between the two places."""
        first, last = bisect_left(self._ends, start), bisect_right(self._ends, end)
        return any(label.kind == kind for label in self._labels[max(first, last - 8) : last])

    def next(self, position: int, reach_chars: int) -> Label | None:
        """The first label from `position` on that begins within reach."""
        index = bisect_left(self._starts, position)
        if index == len(self._starts) or self._starts[index] > position + reach_chars:
            return None
        return self._labels[index]

    def names_thing(self, plain: str, position: int, kind: str) -> bool:
        """True if the number at `position` names a thing, and no label of `kind` is near."""
        label = self.nearest(position, REFERENCE_REACH_CHARS)
        if label is None or label.kind != REFERENCE or self.has(kind, position - 2 * REFERENCE_REACH_CHARS, position):
            return False
        between = plain[label.end : position]
        return not any(char in "\n;?!" or char.isdigit() for char in between)


def find_labels(unaccented: str) -> Iterator[Label]:
    end = 0
    for word in WORD.finditer(unaccented):
        start = word.start()
        if start < end or word[0] not in BY_FIRST_WORD or is_letter(unaccented[start - 1 : start]):
            continue
        for label in BY_FIRST_WORD[word[0]]:
            end_of_label = start + len(label)
            if unaccented.startswith(label, start) and not is_letter(unaccented[end_of_label : end_of_label + 1]):
                yield Label(LABELS[label], start, end_of_label)
                end = end_of_label
                break


def is_letter(char: str) -> bool:
    return char.isalpha()
