"""What a question asks for, by its words in either language: to have something done, or the latest of something. Pure.

Words are compared as stems without accents, so every form counts; empty words count where a phrase needs them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from core.rag.stemming import EMPTY_WORDS, WORD, without_accents, word_stems

INVERTED_SUBJECT = re.compile(r"(?:-t)?-(?:il|elle|on|ils|elles)\b")  # "fera-t-il beau" is "fera beau"
QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"")
AFTER_COLON = re.compile(r":\s.*", re.DOTALL)  # after a colon stands what is to be worked on
QUESTION_LIMIT_CHARS = 1000  # of a question; what it asks for stands in its beginning
KEYWORDS_LIMIT = 4  # a search wants all of them

Token = frozenset[str]


def tokenize(text: str) -> list[Token]:
    """Each word as what its forms have in common; empty words as they are."""
    return [word_token(word) for word in question_words(text)]


def question_words(text: str) -> list[str]:
    return WORD.findall(INVERTED_SUBJECT.sub("", text.replace("’", "'").lower()))


@lru_cache(maxsize=20_000)
def word_token(word: str) -> Token:
    return frozenset(word_stems(word)) or frozenset((without_accents(word),))


class PhraseIndex:
    """Phrases to look for, by their first words."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[Token, ...]]] = defaultdict(list)
        for phrase in filter(None, (tuple(tokenize(text)) for text in texts)):
            for stem in phrase[0]:
                self._by_first[stem].append(phrase)

    def found_in(self, words: Sequence[Token]) -> list[range]:
        """Where they stand: the numbers of the words of each."""
        return [
            range(at, at + len(phrase))
            for at, word in enumerate(words)
            for stem in word
            for phrase in self._by_first.get(stem, ())
            if len(phrase) <= len(words) - at
            and all(part & other for part, other in zip(phrase[1:], words[at + 1 :], strict=False))
        ]

    def are_in(self, words: Sequence[Token]) -> bool:
        return bool(self.found_in(words))


def parse_phrases(text: str) -> PhraseIndex:
    """Of phrases between bars; a line ends with one."""
    return PhraseIndex(text.replace("\n", "").split("|"))


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """What a question itself is about, without quotations, word by word."""

    words: tuple[str, ...]
    tokens: tuple[Token, ...]
    task: bool  # it asks to have something done
    timeless: bool  # and nothing in it has to be looked up for that


def parse_question(question: str) -> ParsedQuestion:
    """Of something to be done, what stands after a colon is what to do it with, and nothing that is asked."""
    subject = QUOTED.sub(" ", question[:QUESTION_LIMIT_CHARS])
    task = TASK_PHRASES.are_in(tokenize(subject))
    if task:
        subject = AFTER_COLON.sub("", subject)
    found = tuple(tokenize(subject))
    return ParsedQuestion(tuple(question_words(subject)), found, task, task and not LATEST_PHRASES.are_in(found))


def keywords(asked: ParsedQuestion, known: Iterable[PhraseIndex]) -> str:
    """What to search for: the words that neither `known` phrases nor the form of the question account for."""
    places = (place for each in (*known, LATEST_PHRASES, FILLERS) for place in each.found_in(asked.tokens))
    spent = {at for place in places for at in place}
    left = (word for at, word in enumerate(asked.words) if at not in spent and without_accents(word) not in EMPTY_WORDS)
    return " ".join(islice(left, KEYWORDS_LIMIT))


# What asks for something new, or for something to be looked up.
LATEST_PHRASES = parse_phrases(
    """
    latest|new|newest|recent|recently|lately|today|tonight|tomorrow|now|this morning|this afternoon|this evening|
    this week|this month|last month|next week|weekend|yesterday|monday|tuesday|wednesday|thursday|friday|saturday|
    sunday|upcoming|current|coming up|going on|find|search|look up|look for|where can i|show me|is there|are there|has|
    did|will|dernier|dernière|récent|récemment|dernièrement|nouveau|nouvelle|nouveaux|nouveauté|quoi de neuf|
    aujourd'hui|demain|ce soir|cette nuit|ce matin|cet après-midi|cette semaine|ce mois|fin de semaine|lundi|mardi|
    mercredi|jeudi|vendredi|samedi|dimanche|en ce moment|à venir|bientôt|y a|y aura|existe|trouve|cherche|où trouver|
    hier|manchettes|headlines
    """
)
# What asks for something that a model does by itself.
TASK_PHRASES = parse_phrases(
    """
    translate|rewrite|rephrase|shorten|proofread|correct|edit|paraphrase|draft|compose|convert|calculate|compute|
    conjugate|define|explain|pretend|imagine|imaginary|invent|suggest|brainstorm|recommend a|write a|write an|write me|
    write code|help me|design a|plan a|make a list of|make this|make it|give me ideas|ideas for|give me a|tips|
    how do i|how do you|how to|how should i|how can i|how does|how is|how are|difference between|what does|what is a|
    what is an|what are the principles|what is the meaning|what is the best|stand for|synonym|plural|spell|poem|joke|
    a story|short story|python|javascript|sql|function|script|excel|why is|why does|who invented|who was|who are you|
    who owns|mandate|role|in simple words|what makes|what s a good|which is correct|the capital|how many|thank you|
    thanks|hello|hi|hey|tell me a|the text|this text|this paragraph|this sentence|this email|pasted|attached|my boss|
    my manager|traduis|traduire|reformule|corrige|rédige|rédiger|écris|écrire|convertis|calcule|calculer|conjugue|
    définis|explique|invente|propose|raccourcis|vulgarise|recommande-moi un|rends ce|comment dit|comment dire|
    que veut dire|signifie|différence entre|synonyme|pluriel|poème|blague|une histoire|idées|conseils|fais-moi un|
    pourquoi|c'est quoi|qu'est-ce que la|qu'est-ce que l|qu'est-ce qu'un|qu'est-ce qu'une|que sont|comment fonctionne|
    comment calcule|comment puis-je|aide-moi|m'aider|comment rédiger|comment écrire|comment améliorer|comment nettoyer|
    à quoi sert|capitale|qui a écrit|qui était|mandat|rôle|que fait|à qui|qui êtes-vous|combien y a|combien font|
    ce texte|cette phrase|ce paragraphe|ce titre|ci-dessus|document joint|bonjour|bonsoir|salut|merci|fonction|
    mon patron|à mon équipe
    """
)
# What says no more than that something is wanted.
FILLERS = parse_phrases(
    """
    find|give|list|tell|want|need|please|like|know|have|exist|cover|contain|publish|download|available|public|federal|
    government|canada|canadian|open|portal|something|anything|all|show|got|get|talk about|speak of|donne|liste|dis|
    veux|voudrais|besoin|aimerais|svp|existe|porte sur|portent|traite|traitent|parle|parlent|contient|publie|
    télécharger|disponible|fédéral|fédéraux|gouvernement|canadien|ouvert|portail|quelque chose|tous|montre|puis
    """
)
