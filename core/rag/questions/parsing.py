"""Parses what a question asks for, in either language: to do something, or the latest of something. Pure.

Words are compared as stems without accents, so every form counts; empty words count if a phrase contains them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from core.rag.stemming import EMPTY_WORDS, WORD, without_accents, word_stems

INVERTED_SUBJECT = re.compile(r"(?:-t)?-(?:il|elle|on|ils|elles)\b")  # "fera-t-il beau" becomes "fera beau"
QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"")
AFTER_COLON = re.compile(r":\s.*", re.DOTALL)  # the text to work on stands after a colon
QUESTION_LIMIT_CHARS = 1000  # a question's request stands at its beginning
KEYWORDS_LIMIT = 4  # a search needs all of them

Token = frozenset[str]


def tokenize(text: str) -> list[Token]:
    """Returns the stems that the forms of each word share; empty words unchanged."""
    return [word_token(word) for word in question_words(text)]


def question_words(text: str) -> list[str]:
    return WORD.findall(INVERTED_SUBJECT.sub("", text.replace("’", "'").lower()))


@lru_cache(maxsize=20_000)
def word_token(word: str) -> Token:
    return frozenset(word_stems(word)) or frozenset((without_accents(word),))


class PhraseIndex:
    """Phrases by their first words."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[Token, ...]]] = defaultdict(list)
        for phrase in filter(None, (tuple(tokenize(text)) for text in texts)):
            for stem in phrase[0]:
                self._by_first[stem].append(phrase)

    def find_in(self, words: Sequence[Token]) -> list[range]:
        """Returns the ranges of words that are phrases."""
        return [
            range(at, at + len(phrase))
            for at, word in enumerate(words)
            for stem in word
            for phrase in self._by_first.get(stem, ())
            if len(phrase) <= len(words) - at
            and all(part & other for part, other in zip(phrase[1:], words[at + 1 :], strict=False))
        ]

    def occur_in(self, words: Sequence[Token]) -> bool:
        return bool(self.find_in(words))


def parse_phrases(text: str) -> PhraseIndex:
    """Parses phrases separated by bars; each line ends with a bar."""
    return PhraseIndex(text.replace("\n", "").split("|"))


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """The words of a question, without quotations."""

    words: tuple[str, ...]
    tokens: tuple[Token, ...]
    task: bool  # it asks to do something
    timeless: bool  # a task without anything to look up


def parse_question(question: str) -> ParsedQuestion:
    """Parses the question. In a task, the text after a colon is material and no request."""
    subject = QUOTED.sub(" ", question[:QUESTION_LIMIT_CHARS])
    task = is_task(tokenize(subject))
    if task:
        subject = AFTER_COLON.sub("", subject)
    question_tokens = tuple(tokenize(subject))
    return ParsedQuestion(
        tuple(question_words(subject)), question_tokens, task, task and not LATEST_PHRASES.occur_in(question_tokens)
    )


def is_task(tokens: Sequence[Token]) -> bool:
    """Tells whether it asks to do something: "What does AI mean?", but not "What does the bulletin say?"."""
    return TASK_PHRASES.occur_in(tokens) or (WHAT_DOES.occur_in(tokens) and not REPORTS.occur_in(tokens))


def keywords(question: ParsedQuestion, indexes: Iterable[PhraseIndex]) -> str:
    """Returns what to search for: words that are in no phrase of `indexes` and not part of the question's form."""
    places = (place for each in (*indexes, LATEST_PHRASES, FILLERS) for place in each.find_in(question.tokens))
    spent = {at for place in places for at in place}
    rest = (
        word for at, word in enumerate(question.words) if at not in spent and without_accents(word) not in EMPTY_WORDS
    )
    return " ".join(islice(rest, KEYWORDS_LIMIT))


# Requests for something new, or to look something up.
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
# Requests that a model fulfils by itself.
TASK_PHRASES = parse_phrases(
    """
    translate|rewrite|rephrase|shorten|proofread|correct|edit|paraphrase|draft|compose|convert|calculate|compute|
    conjugate|define|explain|pretend|imagine|imaginary|invent|suggest|brainstorm|recommend a|write a|write an|write me|
    write code|help me|design a|plan a|make a list of|make this|make it|give me ideas|ideas for|give me a|tips|
    how do i|how do you|how to|how should i|how can i|how does|how is|how are|difference between|what is a|
    what is an|what are the principles|what is the meaning|what is the best|stand for|synonym|plural|spell|poem|joke|
    a story|short story|python|javascript|sql|function|script|excel|why is|why does|who invented|who was|who are you|
    who owns|mandate|role|in simple words|what makes|what s a good|which is correct|the capital|how many|
    tell me a|the text|this text|this paragraph|this sentence|this email|pasted|attached|my boss|
    my manager|traduis|traduire|reformule|corrige|rédige|rédiger|écris|écrire|convertis|calcule|calculer|conjugue|
    définis|explique|invente|propose|raccourcis|vulgarise|recommande-moi un|rends ce|comment dit|comment dire|
    que veut dire|signifie|différence entre|synonyme|pluriel|poème|blague|une histoire|idées|conseils|fais-moi un|
    pourquoi|c'est quoi|qu'est-ce que la|qu'est-ce que l|qu'est-ce qu'un|qu'est-ce qu'une|que sont|comment fonctionne|
    comment calcule|comment puis-je|aide-moi|m'aider|comment rédiger|comment écrire|comment améliorer|comment nettoyer|
    à quoi sert|capitale|qui a écrit|qui était|mandat|rôle|que fait|à qui|qui êtes-vous|combien y a|combien font|
    ce texte|cette phrase|ce paragraphe|ce titre|ci-dessus|document joint|fonction|
    mon patron|à mon équipe
    """
)
WHAT_DOES = parse_phrases("what does")
REPORTS = parse_phrases("say|announce|publish|report|forecast|predict|offer|teach")
# Words that only express a wish.
FILLERS = parse_phrases(
    """
    find|give|list|tell|want|need|please|like|know|have|exist|cover|contain|publish|download|available|public|federal|
    government|canada|canadian|open|portal|something|anything|all|show|got|get|talk about|speak of|donne|liste|dis|
    veux|voudrais|besoin|aimerais|svp|existe|porte sur|portent|traite|traitent|parle|parlent|contient|publie|
    télécharger|disponible|fédéral|fédéraux|gouvernement|canadien|ouvert|portail|quelque chose|tous|montre|puis
    """
)
# Polite phrases, and phrases that only confirm an answer.
PLEASANTRIES = parse_phrases(
    """
    so much|a lot|many thanks|great|ok|okay|perfect|excellent|awesome|wonderful|amazing|cool|super|nice|lovely|bravo|
    good morning|good afternoon|good evening|good night|good job|well done|good answer|good day|great day|nice day|
    good work|great work|good idea|nice to meet|have a|yes|yeah|yep|no|nope|sure|of course|got it|i see|understood|
    makes sense|sounds good|all right|alright|right|exactly|sorry|no problem|no worries|never mind|welcome|bye|goodbye|
    see you|talk to you|later|take care|cheers|haha|lol|wow|you are|you re|it s|that s|that is|this is|very|really|
    helpful|kind|whisper|chuchotte|beaucoup|mille fois|grand merci|génial|parfait|formidable|merveilleux|bien|
    très|ça va|c'est|bon travail|beau travail|bonne réponse|bonne idée|bonne journée|bonne soirée|bonne nuit|
    bon après-midi|bon matin|bonne fin|de semaine|oui|non|d'accord|entendu|compris|je vois|évidemment|bien sûr|
    exactement|désolé|désolée|pas de problème|de rien|laisse tomber|bienvenue|enchanté|enchantée|au revoir|à bientôt|
    à plus|à demain|utile|gentil|gentille|vraiment
    """
)
