"""Language detection in short messages: English, French, and others."""

from __future__ import annotations

import pytest

from core.contract import Language
from core.language import detect_language, parse_language_tag

ENGLISH = """
what's new
What's the weather?
hello
Hi there!
Given the weather forecast, what should I wear tomorrow?
What's the most interesting new learning product from the CSPS?
What are the latest articles about AI on Busrides?
AI news on Busrides
summarize this please
Tell me a joke
thanks a lot
Who is François Legault?
How do I apply for parental leave?
Can you translate this into French?
give me three ideas
write an email to my manager
Is it open today?
Which form do I need
yes please
I don’t understand
what does "bonjour" mean?
when is the deadline
List the departments
Explain the Privacy Act
where can I find the collective agreement?
help me
Good morning
weather in Montréal tomorrow
Why not?
any news from CBC?
Make it shorter
no, that is wrong
Draft a briefing note on housing
are there courses on leadership?
Does Québec have its own rules?
"""
FRENCH = """
Bonjour, quel temps fait-il?
quoi de neuf
Salut!
Quelles sont les nouveautés de l'EFPC?
Que devrais-je porter demain selon la météo?
Quels sont les derniers articles sur l’IA?
Résume ce texte
merci beaucoup
C’est quoi un congé parental?
Comment faire une demande de congé?
Peux-tu traduire ceci en anglais?
donne-moi trois idées
écris un courriel à mon gestionnaire
Est-ce ouvert aujourd'hui?
de quel formulaire ai-je besoin
oui svp
Je ne comprends pas
que veut dire « hello »?
quelle est la date limite
liste des ministères
explique la Loi sur la protection des renseignements personnels
où trouver la convention collective?
aide-moi
Bonsoir
météo à Québec
pourquoi pas?
des nouvelles de Radio-Canada?
plus court
Fais un tableau avec ces chiffres
non, c'est faux
Rédige une note d'information
y a-t-il des cours de leadership?
J'ai besoin d'aide
Qui est le premier ministre?
QUELLE EST LA MÉTÉO
"""
NEITHER = """
¿Qué tiempo hace hoy?
Hola, ¿cómo estás?
Wie ist das Wetter heute?
Guten Morgen
Was ist neu?
Che tempo fa oggi?
Ciao, come va?
Como está o tempo hoje?
Olá, tudo bem?
天気はどうですか
Какая сегодня погода?
Hoe is het weer vandaag?
Jaka jest pogoda?
Hur är vädret idag?
ما الجديد
12345
?
ok
GC-123
"""
CASES: list[tuple[str, Language | None]] = [
    *((text, "en") for text in ENGLISH.strip().splitlines()),
    *((text, "fr") for text in FRENCH.strip().splitlines()),
    *((text, None) for text in ["", *NEITHER.strip().splitlines()]),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_the_language_of_a_message(text: str, expected: Language | None) -> None:
    """It is None for another language, or without evidence."""
    assert detect_language(text) == expected


def test_accents_may_be_written_in_two_ways() -> None:
    """A letter and its accent may be one character or two."""
    assert detect_language("me\u0301te\u0301o a\u0300 Que\u0301bec") == "fr"


def test_the_start_of_a_long_text_decides() -> None:
    """The rest of the text is not read."""
    assert detect_language("Les employés sont en congé. " * 200 + "The rest is in English. " * 100_000) == "fr"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("fr-CA", "fr"),
        ("fr_CA.UTF-8", "fr"),
        (" FR", "fr"),
        ("en-GB", "en"),
        ("en", "en"),
        ("de-DE", None),
        ("C.UTF-8", None),
        ("", None),
    ],
)
def test_language_tags_of_platforms_and_machines(told: str, expected: Language | None) -> None:
    """Only English and French are supported."""
    assert expected == parse_language_tag(told)
