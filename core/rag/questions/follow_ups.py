"""Tells how a question depends on its conversation: it stands alone, leans on an earlier one, or asks for no lookup.

"Is it free?" leans on the question before it, because its words name no subject. "Translate that" works on the answer,
and "Thank you" asks for nothing. Pure; knows neither sources nor facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal

from core.language import word_set
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.rag.questions.parsing import (
    FILLERS,
    LATEST_PHRASES,
    PLEASANTRIES,
    QUESTION_LIMIT_CHARS,
    QUOTED,
    Token,
    parse_phrases,
    question_words,
    tokenize,
)
from core.rag.stemming import EMPTY_WORDS, without_accents

# alone: it has a subject of its own. leans: its subject is in an earlier question. on-answer: a task on the answer
# before it. nothing: thanks, greetings, agreement.
Dependence = Literal["alone", "leans", "on-answer", "nothing"]

SHORT_WORDS = 3  # of content; a question with more says what it is about


def dependence(question: str) -> Dependence:
    """Classifies a question that has exchanges before it."""
    text = QUOTED.sub(" ", question[:QUESTION_LIMIT_CHARS]) or question
    words, tokens = [without_accents(word) for word in question_words(text)], tokenize(text)
    subject = content_words(tokens, words)
    if not words or (not subject and is_small_talk(text, tokens, words)):
        return "nothing"
    if is_editing(tokens, words, subject):
        return "on-answer"
    opens = any(place.start == 0 for place in OPENERS.find_in(tokens))
    if opens or not subject or refers_back(tokens, words) or INVERTED_PRONOUN.match(text.strip().lower()):
        return "leans"
    takes_for_granted = NEXT_STEPS.occur_in(tokens) or COMPARISONS.occur_in(tokens)
    return "leans" if len(subject) == 1 and takes_for_granted else "alone"


def subject_size(question: str) -> int:
    """Counts the words that say what the question is about."""
    return len(subject_tokens(question))


def subject_stems(question: str) -> frozenset[str]:
    """Returns the stems of the words that say what the question is about."""
    return frozenset(chain.from_iterable(subject_tokens(question[:QUESTION_LIMIT_CHARS])))


def subject_tokens(question: str) -> list[Token]:
    tokens = tokenize(question)
    return [tokens[at] for at in content_words(tokens, [without_accents(word) for word in question_words(question)])]


def earlier_questions(question: LookupQuestion) -> Iterator[tuple[EarlierExchange, Dependence]]:
    """Yields the exchanges that the question can lean on, the latest first; the last one stands alone."""
    for exchange in reversed(question.earlier):
        kind = dependence(exchange.question)
        if kind in ("nothing", "on-answer"):
            continue
        yield exchange, kind
        if kind == "alone":
            return


def content_words(tokens: Sequence[Token], words: Sequence[str]) -> list[int]:
    """Returns the positions of words that are neither empty nor about time, politeness or the form of a question."""
    spent = {
        at
        for index in (LATEST_PHRASES, FILLERS, PLEASANTRIES, SMALL_TALK, THANKS, REACTIONS, POLITE, MEASURES)
        for place in index.find_in(tokens)
        for at in place
    }
    return [at for at, word in enumerate(words) if at not in spent and word not in EMPTY_WORDS]


def is_small_talk(text: str, tokens: Sequence[Token], words: Sequence[str]) -> bool:
    """Tells whether a question without a subject asks for nothing: "OK, thanks", but not "OK, and tomorrow?"."""
    if SMALL_TALK.occur_in(tokens):
        return True
    if not (thanks := THANKS.occur_in(tokens)) and not PLEASANTRIES.occur_in(tokens) and not REACTIONS.occur_in(tokens):
        return False
    has_question_word = bool(QUESTION_WORDS & set(words))
    continues = has_question_word or LATEST_PHRASES.occur_in(tokens) or OPENERS.occur_in(tokens)
    asks = text.rstrip().endswith("?") and continues
    return not asks and (thanks or not has_question_word)


def is_editing(tokens: Sequence[Token], words: Sequence[str], subject: Sequence[int]) -> bool:
    """Tells whether the question asks for another form of the answer."""
    if REPLIES.occur_in(tokens):
        return True
    begin = next((at for at, word in enumerate(words) if word not in BEFORE_VERB), len(words))
    forms = {at for place in FORMS.find_in(tokens) for at in place}
    verbs = {at for place in EDITING_VERBS.find_in(tokens) if place.start == begin for at in place}
    rest = [at for at in subject if at >= begin and at not in forms and at not in verbs]
    if verbs:
        return not rest or refers_back(tokens, words)
    return bool(forms) and not rest and not QUESTION_WORDS & set(words) and not refers_back(tokens, words)


def refers_back(tokens: Sequence[Token], words: Sequence[str]) -> bool:
    """Tells whether a pronoun or an ordinal stands for something said before."""
    about_time = {at for place in LATEST_PHRASES.find_in(tokens) for at in place}
    pronouns = (at for at, word in enumerate(words) if word in PRONOUNS and at not in about_time)
    names_rank = bool(words) and words[-1] in RANKS
    return names_rank or REFERENCES.occur_in(tokens) or any(is_reference(words, at) for at in pronouns)


def is_reference(words: Sequence[str], at: int) -> bool:
    """Excludes "is there", "est-ce que" and "c'est quoi", whose pronouns stand for nothing."""
    before = words[at - 1] if at else ""
    after = words[at + 1] if at + 1 < len(words) else ""
    match words[at]:
        case "there":
            return before not in ("is", "are", "was", "were") and after not in ("is", "are", "was", "were")
        case "ce":
            return after not in ("que", "qui", "qu") and (
                before not in ("est", "qu", "c") or (before, at) == ("est", 1)
            )
        case "c":
            return after in ("est", "etait") and "quoi" not in words
        case "en":
            return before in ("y", "m", "t", "s", "j", "n", "l")
        case "that":
            return at == 0 or after not in THAT_CLAUSE
    return True


# Words with which a question continues another one.
OPENERS = parse_phrases(
    """
    and|et|but|mais|also|aussi|then|alors|so|donc|what about|how about|what of|what if|qu'en est|quid|same|the same|
    likewise|même chose|pareil|idem|instead|plutôt|sinon|otherwise|only|seulement|even|même|ok and|or|anything|
    something|any other|quelque chose|rien sur|plus de|more|is there one|are there any|any for|any on
    """
)
# Words that stand for something said before.
REFERENCES = parse_phrases(
    """
    first one|second one|third one|last one|the other|the others|another|others|which one|which ones|tell me more|
    more detail|more details|more about|anything about|anything on|anything else|l'autre|les autres|d'autres|un autre|
    une autre|autre chose|quels autres|y en a|plus de détails|rien sur|is there one|are there any|what else|who else|
    where else|quoi d'autre|qui d'autre
    """
)
RANKS = word_set("first second third last premier premiere deuxieme second seconde troisieme dernier derniere")
# "Est-elle gratuite?", "Pourquoi a-t-il augmenté?"; not "Va-t-il neiger?" nor "Est-il possible de …?".
INVERTED_PRONOUN = re.compile(
    r"(?:et |mais |alors )?(?:pourquoi|quand|comment|où|depuis quand|combien|de quoi|à qui|que|qu['’])?\s*"
    r"(?:a|ont|est|sont|peut|peuvent|doit|doivent|va|vont|dure|durent|coûte|coûtent)-(?:t-)?(?:il|elle|ils|elles)\b"
    r"(?! (?:plu|neig|pleu|fai|y |possible|permis|obligatoire|interdit|nécessaire|temps|vrai))"
)
# Actions that take what was said before for granted, if nothing else is named: "How do I register?".
NEXT_STEPS = parse_phrases(
    """
    register|sign up|apply|enrol|enroll|attend|participate|join|cost|download|contact|qualify|start|begin|end|expire|
    inscrire|s'inscrire|m'inscrire|postuler|participer|coûte|coûter|télécharger|commence|commencer|termine|expire|
    joindre
    """
)
PRONOUNS = word_set(
    "it its this that these those they them their theirs he she him there one ones both "
    "ca cela ceci celui celle ceux celles ce cet cette ces elle elles ils lui leur leurs en c "
    "lequel laquelle lesquels lesquelles duquel desquels"
)
# They say nothing about what to search for.
REFERENCE_WORDS = parse_phrases(
    "|".join(["one|ones|it|they|them|that|those|these|and|et|also|aussi|what about", *PRONOUNS])
)
# A question about several subjects of the conversation.
COMPARISONS = parse_phrases(
    """
    which one|which of|which is|compare|comparison|both|warmer|colder|hotter|between|difference|lequel|laquelle|
    lesquels|lesquelles|les deux|comparer|compare|comparaison|plus chaud|plus froid|plus froide|entre les
    """
)
THAT_CLAUSE = word_set("i you we it he she they the a there this my our")
QUESTION_WORDS = word_set(
    "what why how when where who whom whose which pourquoi comment quand qui que quoi quel quelle quels quelles "
    "combien lequel laquelle lesquels lesquelles"
)
# Words for an amount or a time that only complete another question.
MEASURES = parse_phrases(
    """
    much|many|long|often|far|soon|since|until|after|before|during|day|week|month|year|hour|minute|morning|afternoon|
    evening|night|next|last|first|jour|semaine|mois|an|année|heure|matin|soir|nuit|après|avant|depuis|pendant|jusqu'à|
    longtemps|souvent|prochain|prochaine|dernier|dernière|combien|tôt|tard|case|cas|exactly|exactement
    """
)
SMALL_TALK = parse_phrases(
    """
    how are you|how is it going|how s it going|who are you|what can you do|are you there|what's up|new with you|
    ça va|comment allez|comment vas|qui es|qui êtes|que peux|que pouvez|neuf chez toi|neuf chez vous|neuf de ton côté|
    neuf de votre côté
    """
)
THANKS = parse_phrases("thank you|thanks|thank u|thx|tks|ty|merci|mci|hello|hi|hey|bonjour|bonsoir|salut|allô|coucou")
REACTIONS = parse_phrases(
    """
    good|fine|clear|interesting|noted|appreciated|brilliant|fantastic|bye bye|clair|c'est clair|intéressant|noté|
    bonne|bon|chouette|fantastique|tant mieux|dommage|too bad|hmm
    """
)
POLITE = parse_phrases("s'il te plaît|s'il vous plaît|svp|s.v.p.|stp|s.t.p.|please|pls|plz")
# Remarks about the answer.
REPLIES = parse_phrases(
    """
    your answer|your last answer|your reply|your response|ta réponse|votre réponse|don t understand|didn t understand|
    not understand|pas compris|comprends pas|what do you mean|what does that mean|que voulez-vous dire|
    que veux-tu dire|are you sure|es-tu sûr|êtes-vous sûr|you are wrong|that s wrong|that is wrong|c'est faux|
    not what i|answer my question|not my question|pas ce que|pas répondu|répondu à ma question
    """
)
# Polite words before a request's verb.
BEFORE_VERB = word_set(
    "please can could would will you now ok okay and then just also great perfect thanks thank so "
    "peux pourrais pouvez pourriez tu vous le la les l me moi et maintenant alors s il te "
    "plait svp stp v p t pls parfait super merci bon"
)
EDITING_VERBS = parse_phrases(
    """
    translate|shorten|rephrase|reword|rewrite|simplify|summarize|summarise|sum up|proofread|paraphrase|explain|convert|
    repeat|format|draft|write|say|put|turn|make|list|expand|elaborate|give me|use|remove|add|send|correct|traduis|
    traduire|traduisez|raccourcis|raccourcir|raccourcissez|reformule|reformuler|reformulez|réécris|réécrire|réécrivez|
    résume|résumer|résumez|simplifie|simplifier|simplifiez|explique|expliquer|expliquez|répète|répéter|répétez|écris|
    écrire|écrivez|rédige|rédiger|rédigez|mets|mettre|mettez|fais|faire|faites|dis|dire|dites|transforme|transformer|
    transformez|vulgarise|vulgariser|vulgarisez|corrige|corriger|corrigez|ajoute|enlève
    """
)
# Forms of a text.
FORMS = parse_phrases(
    """
    in french|in english|in spanish|in inuktitut|french|english|spanish|en français|en anglais|en espagnol|français|
    anglais|espagnol|list|bullet|bulleted|bullet points|point form|points|table|email|paragraph|sentence|one line|
    two lines|three lines|word|words|shorter|longer|simpler|clearer|plainer|plain language|simple words|simply|simple|
    short|brief|briefly|formal|informal|tone|version|text|answer|reply|response|message|summary|liste|puces|tableau|
    courriel|paragraphe|phrase|une ligne|deux lignes|trois lignes|mot|mots|court|courte|long|clair|claire|clairement|
    simplement|bref|brève|formel|ton|texte|réponse|résumé|langage clair|again|encore|example|exemple|two|three|four|
    five|deux|trois|quatre|cinq|better|mieux
    """
)
