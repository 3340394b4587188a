"""Detects English and French in short messages, by function words, contractions and accents. Pure.

Other languages share words with these two ("la", "un", "do"), so their words are counted too, to detect neither.
"""

from __future__ import annotations

import re
import unicodedata

from core.contract import Language

READ_CHARS = 4000  # the start of a text is enough
ACCENT_WEIGHT = 0.5  # one accent alone, as in a name, must not decide


def word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ENGLISH = word_set(
    """
    about after again all also am and any anyone are aren't at be because been before but by can can't cannot could
    did didn't do does doesn't doing don't draft each every explain for from gave get give goes going good got had
    has have having hello help here hey hi his how i i'm i've if in into is isn't it it's its just know latest let
    list make many may more morning most much my need new news no not now of off okay one our out over please really
    she should show since so some summarize summary tell than thank thanks that that's the their them then there
    these they thing things this those through to today tomorrow too under until up upcoming use very want was
    wasn't we weather were what what's when where which while who who's why will with won't word words work would
    write yes yesterday yet you your yours
    """
)
FRENCH = word_set(
    """
    aide aider aidez alors après au aucun aujourd'hui aussi autre aux avant avec avez avoir avons bonjour bonsoir
    car ce cela ces cet cette chaque chez combien contre dans de demain depuis dernier derniers dernière dernières
    des dis dites dois doit donc donne donner donnez du elle elles en encore entre es est et eux explique expliquez
    faire fais fait faites faut hier ici il ils j'ai je jusqu'à la le les leur leurs lui là ma mais merci mes mien
    moi moins mon météo même n'est ne ni non nos notre nous nouveau nouveautés nouveaux nouvelle nouvelles ou oui où
    par parle parlez pas pendant peu peut peux plus plusieurs pour pourquoi pourrais pouvez pouvons près puis
    puis-je qu'est quand que quel quelle quelles quels qui quoi rien résume résumez sa salut sans savoir se selon
    sera ses si sois soit sommes sont sous souvent stp suis sur svp ta tes texte toi ton tous tout toute toutes trop
    trouve très tu un une va vais vers veut veux vient voici voilà voir vos votre voudrais voulez vous à ça écris
    était été êtes être
    """
)
OTHERS = word_set(
    """
    aber ama ao aos auch aus bei bin bir bitte che chi ciao como con cosa cuál cuándo cómo da das dass dei del della
    delle dem den der di die dime do dos dónde een ein eine el ella em es esta este está estão for für guten haben
    hai hallo hay het hola hoy ich ik il isso ist jest já kann kommt können las los mañana mein mi mich mit morgen
    muy måste müssen na nach nicht nie no noch nuevo não o obrigado och oder og oggi olá onde para per perché por
    porque qual quando que questo quiero quién qué se ser sie sind sobre som sono su são también tempo tengo tiempo
    todos um uma una und uns unter usted va van você voor wann warum was wat wer wie wir wird wo y zijn zu zum às är
    å è él ó
    """
)
ELISION = re.compile(r"\b(?:qu|jusqu|lorsqu|puisqu|[cdjlmnst])'(?=[a-zà-ÿœ])")
FRENCH_ACCENTS = re.compile("[àâçèéêëîïôùûüÿœ]")
OTHER_LETTERS = re.compile("[ãõñßäöåøłşğıąęćżźčřšžěů¿¡ățșőűìòíóúá]")
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def detect_language(text: str) -> Language | None:
    """The language of the text. None: another language, or no evidence."""
    start = unicodedata.normalize("NFC", text[:READ_CHARS]).lower().replace("’", "'")
    words = [part for word in WORD.findall(start) for part in parts_of(word)]
    english = sum(word in ENGLISH for word in words)
    french: float = sum(word in FRENCH for word in words) + len(ELISION.findall(start))
    french += ACCENT_WEIGHT * sum(FRENCH_ACCENTS.search(word) is not None for word in words)
    other = sum(word in OTHERS for word in words) + sum(OTHER_LETTERS.search(word) is not None for word in words)
    other += sum(sign in start for sign in "¿¡")
    if max(english, french) < 1 or max(english, french) <= other or english == french:
        return None
    return "en" if english > french else "fr"


def parse_language_tag(tag: str) -> Language | None:
    """The language of a tag such as "fr-CA" or "fr_CA.UTF-8". None: another language."""
    code = tag.strip().lower()[:2]
    return "en" if code == "en" else "fr" if code == "fr" else None


def parts_of(word: str) -> list[str]:
    """The word if it is known, else its parts between hyphens and apostrophes: "fait-il", "l'article"."""
    if word in ENGLISH or word in FRENCH:
        return [word]
    return re.split("['-]", word)
