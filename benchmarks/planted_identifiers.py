"""Identifiers of people who do not exist, with valid check digits, in messages and documents as people write them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stdnum import luhn
from stdnum.ca import bc_phn

SEED = 17
IDENTIFIERS = 300
TEXTS = 40
NO_BREAK, ZERO_WIDTH = "\u00a0", "\u200b"
AREA_CODES = ("613", "819", "514", "416", "604", "902", "780", "204", "506", "418", "867", "709")
GIVEN = ("Marie", "Jean", "Sarah", "Michael", "Louise", "David", "Amélie", "Robert", "Fatima", "Daniel")
FAMILY = ("Tremblay", "Smith", "Gagnon", "MacDonald", "Singh", "Nguyen", "Roy", "Bouchard", "Martin", "Lavoie")
MONTHS = ("January", "March", "May", "August", "October", "December")
MOIS = ("janvier", "mars", "mai", "août", "octobre", "décembre")
PROSE = (
    "The committee will review the request at its next meeting.",
    "Merci de traiter cette demande avant la fin de la semaine.",
    "Chapter 10 of the Statutes of Canada, 2019, applies to this file.",
    "Le budget de 2 500 000 $ a été approuvé le 1er avril 2024.",
    "Invoice INV-2024-00817 was paid in full.",
    "La version 3.2.1 du formulaire est en ligne depuis le 12 mai 2023.",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """An identifier and its sentence. `traces`: what must not be found anywhere afterwards."""

    kind: str
    sentence: str
    traces: tuple[str, ...]


def plant(kind: str, written: str, sentence: str, *traces: str) -> Planted:
    """`sentence` has the identifier in place of "{}"."""
    return Planted(kind, sentence.format(written), traces or (written,))


class Identifiers:
    """Draws identifiers of every kind in turn, in every way of writing them."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)  # not for secrets
        self._kinds: Sequence[Callable[[int], Planted]] = (
            self.sin,
            self.payment_card,
            self.email,
            self.telephone,
            self.postal_code,
            self.passport,
            self.health_card,
            self.birth_date,
        )

    def draw(self, number: int) -> list[Planted]:
        return [self._kinds[index % len(self._kinds)](index // len(self._kinds)) for index in range(number)]

    def digits(self, length: int) -> str:
        return "".join(str(self._random.randrange(10)) for _ in range(length))

    def sin(self, turn: int) -> Planted:
        body = str(self._random.choice((1, 2, 4, 5, 6, 7, 9))) + self.digits(7)
        number = body + luhn.calc_check_digit(body)
        if number.endswith("00000"):
            return self.sin(turn)
        a, b, c = number[:3], number[3:6], number[6:]
        full_width = "".join(chr(ord(char) + 0xFEE0) for char in number)
        ways = (
            number,
            f"{a} {b} {c}",
            f"{a}-{b}-{c}",
            f"{a}.{b}.{c}",
            f"{a}{NO_BREAK}{b}{NO_BREAK}{c}",
            full_width,
            f"{a}-{b}-\n{c}",
            f"{a} {b}\n{c}",
            f"{a} dash {b} dash {c}",
            f"{a}{ZERO_WIDTH}{b}{ZERO_WIDTH}{c}",
            " ".join(number),
            f"{a}–{b}–{c}",
        )
        sentences = ("My SIN is {}.", "Mon NAS est le {}", "Please use {} for the payroll form.", "{} (SIN)")
        written = ways[turn % len(ways)]
        return plant("sin", written, sentences[turn % len(sentences)], written, number)

    def payment_card(self, turn: int) -> Planted:
        prefix, length = (("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16), ("4", 13), ("36", 14))[
            turn % 7
        ]
        body = prefix + self.digits(length - len(prefix) - 1)
        number = body + luhn.calc_check_digit(body)
        groups = [number[at : at + 4] for at in range(0, len(number), 4)]
        grouped = [number[:4], number[4:10], number[10:]] if length in (14, 15) else groups
        ways = (number, " ".join(grouped), "-".join(grouped), NO_BREAK.join(grouped))
        written = ways[turn % len(ways)]
        sentences = ("Card: {}", "Ma carte de crédit est {} merci", "Charge it to {} please.")
        return plant("payment_card", written, sentences[turn % len(sentences)], written, number)

    def email(self, turn: int) -> Planted:
        name = f"{self._random.choice(GIVEN).lower().replace('é', 'e')}.{self.digits(5)}"
        host = self._random.choice(("example.com", "courriel.example.ca", "mail.example.org"))
        dotted = host.replace(".", " dot ")
        ways = (
            f"{name}@{host}",
            f"{name} [at] {host}",
            f"{name}＠{host}",
            f"{name} at {dotted}",
            f"{name}(at){host}",
            f"{name} arobase {host}",
            f"{name}{ZERO_WIDTH}@{host}",
            f"{name} @ {host}",
            f"{name} [at] {host.replace('.', ' [dot] ')}",
        )
        written = ways[turn % len(ways)]
        sentences = ("Write to {} about it.", "Son courriel : {}", "Contact {} or wait.")
        return plant("email", written, sentences[turn % len(sentences)], written, name)

    def telephone(self, turn: int) -> Planted:
        code, exchange, last = self._random.choice(AREA_CODES), f"55{self.digits(1)}", self.digits(4)
        ways = (
            (f"({code}) {exchange}-{last}", "Call me at {}."),
            (f"{code}-{exchange}-{last}", "Mon numéro est le {}."),
            (f"+1 {code} {exchange} {last}", "From abroad: {}"),
            (f"{code}.{exchange}.{last} ext. 4{self.digits(2)}", "Reach her at {}"),
            (f"{code} {exchange}-{last}, poste 12{self.digits(1)}", "Appelez-moi au {}."),
            (f"{code}{exchange}{last}", "Cell {}"),
            (f"+33 6 {self.digits(2)} {self.digits(2)} {self.digits(2)} {self.digits(2)}", "En France : {}"),
            (f"+44 20 7{self.digits(3)} {self.digits(4)}", "In London: {}"),
            (f"{code}{NO_BREAK}{exchange}{NO_BREAK}{last}", "Téléphone : {}"),
            (f"{code} dash {exchange} dash {last}", "It is {}."),
        )
        written, sentence = ways[turn % len(ways)]
        return plant("telephone", written, sentence)

    def postal_code(self, turn: int) -> Planted:
        first, later = "ABCEGHJLMNPRSTVXY", "ABCEGHJKLMNPRSTVWXYZ"
        draw = self._random.choice
        area = f"{draw(first)}{draw('2345678')}{draw(later)}"
        unit = f"{draw('123456789')}{draw(later)}{draw('123456789')}"
        ways = (
            f"{area} {unit}",
            f"{area}{unit}",
            f"{area}-{unit}",
            f"{area}{NO_BREAK}{unit}",
            f"{area} {unit}".lower(),
        )
        written = ways[turn % len(ways)]
        sentences = ("She lives at 12 Main Street, {}.", "Mon adresse : 3, rue Principale {}", "Postal code: {}")
        return plant("postal_code", written, sentences[turn % len(sentences)])

    def passport(self, turn: int) -> Planted:
        letters = self._random.choice(("AB", "GA", "HK", "JX", "BA", "HN"))
        old, new = f"{letters}{self.digits(6)}", f"{letters[0]}{self.digits(6)}{letters}"
        ways = (
            (old, "Passport number {}"),
            (new, "Son passeport est le {}."),
            (old, "The traveller gave {} at the counter."),
            (new, "{} was scanned."),
            (f"{letters} {self.digits(6)}", "Passeport : {}"),
        )
        written, sentence = ways[turn % len(ways)]
        return plant("passport", written, sentence)

    def health_card(self, turn: int) -> Planted:
        ontario_body = str(self._random.randrange(1, 10)) + self.digits(8)
        ontario = ontario_body + luhn.calc_check_digit(ontario_body)
        columbia = self.british_columbia()
        quebec = f"{self._random.choice(FAMILY)[:3].upper()}{self._random.choice('ABCDE')}"
        born = (self._random.randrange(40, 99), self._random.choice((3, 61)), self._random.randrange(1, 29))
        quebec_digits = "".join(f"{part:02}" for part in born) + self.digits(2)
        ways = (
            (f"{ontario[:4]} {ontario[4:7]} {ontario[7:]} AB", "Health card {}"),
            (f"{quebec} {quebec_digits[:4]} {quebec_digits[4:]}", "RAMQ {}"),
            (f"{columbia[:4]} {columbia[4:7]} {columbia[7:]}", "My PHN is {}."),
            (f"{self.digits(5)}-{self.digits(4)}", "Alberta health card number: {}"),
            (self.digits(9), "Saskatchewan health services number {}"),
            (f"{self.digits(3)} {self.digits(3)} {self.digits(3)}", "Manitoba PHIN {}"),
            (self.digits(9), "Numéro d’assurance maladie (Nouveau-Brunswick) : {}"),
            (f"{self.digits(4)} {self.digits(3)} {self.digits(3)}", "Nova Scotia health card: {}"),
            (self.digits(8), "PEI health card number {}"),
            (self.digits(12), "Newfoundland MCP number {}"),
            (f"N{self.digits(7)}", "Northwest Territories health care card {}"),
            (self.digits(9), "Nunavut health care card {}"),
            (f"{self.digits(3)} {self.digits(3)} {self.digits(3)}", "Yukon health care card {}"),
            (f"{ontario[:4]}-{ontario[4:7]}-{ontario[7:]}", "It says {} on the card."),
            (f"{quebec}{quebec_digits}", "Le numéro {} figure au dossier."),
        )
        written, sentence = ways[turn % len(ways)]
        return plant("health_card", written, sentence)

    def british_columbia(self) -> str:
        while True:
            body = f"9{self.digits(8)}"
            check = bc_phn.calc_check_digit(body[1:])
            if len(check) == 1 and bc_phn.is_valid(body + check):
                return body + check

    def birth_date(self, turn: int) -> Planted:
        year, month, day = self._random.randrange(1940, 2005), self._random.randrange(6), self._random.randrange(1, 29)
        name = f"{self._random.choice(GIVEN)} {self._random.choice(FAMILY)}"
        iso, words = f"{year}-{2 * month + 1:02}-{day:02}", f"{MONTHS[month]} {day}, {year}"
        ways = (
            (iso, "DOB {}"),
            (words, "She was born on {}."),
            (f"{day} {MOIS[month]} {year}", "Elle est née le {}."),
            (f"{day:02}/{2 * month + 1:02}/{year}", "Date de naissance : {}"),
            (iso, f"{name}, {{}}, Ottawa"),
            (words, f"{name} ({{}})"),
            (f"{day} {MOIS[month]} {year}", f"{name}, {{}}, technicienne"),
            (iso, "{} is my date of birth"),
        )
        written, sentence = ways[turn % len(ways)]
        return plant("birth_date", written, sentence)


def planted_texts(seed: int = SEED) -> list[tuple[str, list[Planted]]]:
    """TEXTS texts with IDENTIFIERS identifiers in all, each with those that are in it."""
    rng = random.Random(seed)  # not for secrets
    planted = Identifiers(seed).draw(IDENTIFIERS)
    texts = []
    for index in range(TEXTS):
        own = planted[index::TEXTS]
        sentences = [sentence for each in own for sentence in (rng.choice(PROSE), each.sentence)]
        texts.append(("\n".join(sentences), own))
    return texts
