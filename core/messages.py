"""What a person reads when something is waited for or goes wrong, in English and French. One table.

Chosen by the error's `code`, and by its `reason` where it has one. No sentence repeats what a person or a model wrote;
numbers are all that is filled in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from core.contract import Language, Status
from core.errors import (
    BadRequest,
    CspsError,
    Fault,
    FetchFailed,
    FetchRefused,
    Obstacle,
    PromptTooLong,
    Unfetched,
    UnreadableDocument,
)

Sentence = Mapping[Language, str]

ERRORS: Mapping[str, Sentence] = {
    "internal": {
        "en": "Something went wrong on our side. Please try again.",
        "fr": "Une erreur s’est produite de notre côté. Veuillez réessayer.",
    },
    "config": {
        "en": "The service is not set up correctly. Please tell the people who run it.",
        "fr": "Le service est mal configuré. Veuillez en informer les responsables.",
    },
    "bad_request": {
        "en": "The service did not understand this request.",
        "fr": "Le service n’a pas compris cette demande.",
    },
    "prompt_too_long": {
        "en": "This is too long for the model to read at once. Please shorten your question or what you pasted.",
        "fr": "C’est trop long pour être lu d’un coup par le modèle. Veuillez raccourcir la question ou le texte.",
    },
    "schema_refused": {
        "en": "This JSON Schema cannot be used: it is not valid, or the model cannot be held to it.",
        "fr": "Ce schéma JSON ne peut pas être utilisé : il n’est pas valide, ou le modèle ne peut pas y être tenu.",
    },
    "not_an_embedder": {
        "en": "This model chats; it does not make embeddings.",
        "fr": "Ce modèle sert à converser; il ne produit pas de plongements.",
    },
    "not_found": {
        "en": "What you asked for does not exist.",
        "fr": "Ce que vous avez demandé n’existe pas.",
    },
    "personality_unknown": {
        "en": "There is no such personality here.",
        "fr": "Cette personnalité n’existe pas ici.",
    },
    "session_unknown": {
        "en": "This conversation no longer exists. Please begin a new one.",
        "fr": "Cette conversation n’existe plus. Veuillez en commencer une nouvelle.",
    },
    "overloaded": {
        "en": "Many people are asking at the moment. Please try again later.",
        "fr": "Beaucoup de personnes posent des questions en ce moment. Veuillez réessayer plus tard.",
    },
    "stopping": {
        "en": "The service is restarting. Please try again in a moment.",
        "fr": "Le service redémarre. Veuillez réessayer dans un instant.",
    },
    "model_failed": {
        "en": "The model failed to answer. Please try again.",
        "fr": "Le modèle n’a pas réussi à répondre. Veuillez réessayer.",
    },
    "model_unavailable": {
        "en": "The model is not available at the moment. Please try again later.",
        "fr": "Le modèle n’est pas disponible en ce moment. Veuillez réessayer plus tard.",
    },
    "model_too_slow": {
        "en": "The model took too long to begin an answer: many people may be asking. Please try again later.",
        "fr": "Le modèle a trop tardé à commencer une réponse : la demande est peut-être forte. Veuillez réessayer plus"
        " tard.",
    },
    "model_refused": {
        "en": "The model refused this request.",
        "fr": "Le modèle a refusé cette demande.",
    },
    "unreadable": {
        "en": "This document could not be read. Pages, feeds, text, Markdown, CSV, JSON, PDF and Word files can be.",
        "fr": "Ce document n’a pas pu être lu. Pages, fils, texte, Markdown, CSV, JSON, PDF et Word peuvent l’être.",
    },
    "fetch_refused": {
        "en": "The service does not open this address. Only public pages of the Web can be read.",
        "fr": "Le service n’ouvre pas cette adresse. Seules les pages publiques du Web peuvent être lues.",
    },
    "fetch_failed": {
        "en": "The page could not be read: its site did not answer, or answered with something that is not read here.",
        "fr": "La page n’a pas pu être lue : son site n’a pas répondu, ou a envoyé ce qui ne se lit pas ici.",
    },
    "budget_exhausted": {
        "en": "The answer became too long before it was complete. Please ask for less at once.",
        "fr": "La réponse est devenue trop longue avant d’être complète. Veuillez en demander moins à la fois.",
    },
    "only_thought": {
        "en": "The model thought for so long that no room was left for an answer. Please ask for less at once.",
        "fr": "Le modèle a réfléchi si longtemps qu’il ne restait plus de place pour une réponse. Veuillez en demander"
        " moins à la fois.",
    },
    "non_conforming": {
        "en": "The model did not manage to answer in the form that was asked for.",
        "fr": "Le modèle n’a pas réussi à répondre dans la forme demandée.",
    },
    "storage": {
        "en": "The conversation cannot be saved at the moment. Please try again later.",
        "fr": "La conversation ne peut pas être enregistrée en ce moment. Veuillez réessayer plus tard.",
    },
    # Known to the edge alone.
    "too_large": {
        "en": "This is larger than the service accepts.",
        "fr": "C’est plus gros que ce que le service accepte.",
    },
    "target_too_long": {
        "en": "This address is too long. Please send long questions by POST.",
        "fr": "Cette adresse est trop longue. Veuillez envoyer les longues questions par POST.",
    },
    "media_type": {
        "en": "The service does not read this type of content.",
        "fr": "Le service ne lit pas ce type de contenu.",
    },
    "too_slow": {
        "en": "The request took too long to arrive. Please try again.",
        "fr": "La demande a mis trop de temps à arriver. Veuillez réessayer.",
    },
    "upgrade_required": {
        "en": "This address is for WebSockets only.",
        "fr": "Cette adresse est réservée aux WebSockets.",
    },
    "origin_refused": {
        "en": "Pages of other sites may not use this service.",
        "fr": "Les pages d’autres sites ne peuvent pas utiliser ce service.",
    },
    "host_refused": {
        "en": "The service is not reached under this name.",
        "fr": "Le service n’est pas offert sous ce nom.",
    },
    "path_unknown": {
        "en": "There is nothing at this address.",
        "fr": "Il n’y a rien à cette adresse.",
    },
    "method_refused": {
        "en": "This address does not take this kind of request.",
        "fr": "Cette adresse n’accepte pas ce type de demande.",
    },
    "http": {
        "en": "The request could not be handled.",
        "fr": "La demande n’a pas pu être traitée.",
    },
}

# Of "unreadable", where the reason is known.
OBSTACLES: Mapping[Obstacle, Sentence] = {
    "locked": {
        "en": "This document is locked by a password. Please give it without one.",
        "fr": "Ce document est verrouillé par un mot de passe. Veuillez le donner sans mot de passe.",
    },
    "pictures": {
        "en": "This document has no text, only pictures of it. Please give one with text, such as from OCR.",
        "fr": "Ce document n’a pas de texte, seulement des images. Veuillez en donner un qui a du texte, issu d’une"
        " reconnaissance de caractères par exemple.",
    },
    "kind": {
        "en": "This kind of document is not read here. Pages, feeds, text, Markdown, CSV, JSON, PDF and Word (.docx)"
        " files are.",
        "fr": "Ce type de document ne se lit pas ici. Pages, fils, texte, Markdown, CSV, JSON, PDF et Word (.docx)"
        " se lisent.",
    },
    "damaged": {
        "en": "This document is damaged. Please save it anew, or give another copy.",
        "fr": "Ce document est endommagé. Veuillez l’enregistrer de nouveau ou en donner une autre copie.",
    },
    "large": {
        "en": "This document is too large or too complicated to be read here. Please give the part that matters.",
        "fr": "Ce document est trop gros ou trop complexe pour être lu ici. Veuillez donner la partie qui compte.",
    },
    "empty": {
        "en": "There is no text in this document. What a page shows only by its scripts cannot be read here.",
        "fr": "Il n’y a pas de texte dans ce document. Ce qu’une page n’affiche que par ses scripts ne se lit pas ici.",
    },
}

# Of "bad_request".
FAULTS: Mapping[Fault, Sentence] = {
    "empty": {
        "en": "There is no question in this. Please write one.",
        "fr": "Il n’y a pas de question ici. Veuillez en écrire une.",
    },
    "frame": {
        "en": "The service did not understand what the page sent. Please load the page again.",
        "fr": "Le service n’a pas compris ce que la page a envoyé. Veuillez recharger la page.",
    },
    "attachments": {
        "en": "These are too many attachments for one question. Please send some of them with the next one.",
        "fr": "Il y a trop de pièces jointes pour une seule question. Veuillez en joindre une partie à la suivante.",
    },
    "resume": {
        "en": "A conversation can be continued only before anything else is asked. Please load the page again.",
        "fr": "Une conversation ne se reprend qu’avant toute autre question. Veuillez recharger la page.",
    },
}

# Of "fetch_failed" and "fetch_refused".
UNFETCHED: Mapping[Unfetched, Sentence] = {
    "form": {
        "en": "The service does not open this address, or where it leads. Only http:// and https:// are opened, on"
        " their usual ports and without a password.",
        "fr": "Le service n’ouvre pas cette adresse, ou celle où elle mène. Seuls http:// et https:// s’ouvrent, sur"
        " leurs ports habituels et sans mot de passe.",
    },
    "private": {
        "en": "This address is not of the public Internet, so the service does not open it.",
        "fr": "Cette adresse n’est pas de l’Internet public : le service ne l’ouvre pas.",
    },
    "robots": {
        "en": "This site does not want to be read by programs (its robots.txt forbids it).",
        "fr": "Ce site ne veut pas être lu par des programmes (son robots.txt l’interdit).",
    },
    "unknown": {
        "en": "There is no such site. Please check how its name is spelled.",
        "fr": "Ce site n’existe pas. Veuillez vérifier l’orthographe de son nom.",
    },
    "offline": {
        "en": "The site could not be looked up: the service has no connection to the Internet at the moment.",
        "fr": "Le site n’a pas pu être trouvé : le service n’a pas de connexion à Internet en ce moment.",
    },
    "silent": {
        "en": "The site does not answer. Please try again later.",
        "fr": "Le site ne répond pas. Veuillez réessayer plus tard.",
    },
    "broken": {
        "en": "The site did not send a whole page over a safe connection, so nothing of it was read.",
        "fr": "Le site n’a pas envoyé de page complète par une connexion sûre : rien n’en a été lu.",
    },
    "missing": {
        "en": "There is no such page on that site (404). Please check the address.",
        "fr": "Cette page n’existe pas sur ce site (404). Veuillez vérifier l’adresse.",
    },
    "login": {
        "en": "The site shows this page only to those it lets in (401 or 403: a login). Please paste its text.",
        "fr": "Le site ne montre cette page qu’aux personnes autorisées (401 ou 403 : il faut ouvrir une session)."
        " Veuillez en coller le texte.",
    },
    "busy": {
        "en": "The site is too busy to send this page at the moment. Please try again later.",
        "fr": "Le site est trop occupé pour envoyer cette page en ce moment. Veuillez réessayer plus tard.",
    },
    "status": {
        "en": "The site answered with an error of its own instead of the page. Please try again later.",
        "fr": "Le site a envoyé une erreur au lieu de la page. Veuillez réessayer plus tard.",
    },
    "picture": {
        "en": "At this address is an image, and images are not read.",
        "fr": "À cette adresse se trouve une image, et les images ne se lisent pas ici.",
    },
    "recording": {
        "en": "At this address is a video or a sound recording, and those are not read.",
        "fr": "À cette adresse se trouve une vidéo ou un enregistrement sonore, ce qui ne se lit pas ici.",
    },
    "kind": {
        "en": "What is at this address is not read here. Pages, feeds, text, Markdown, CSV, JSON, PDF and Word (.docx)"
        " files are.",
        "fr": "Ce qui se trouve à cette adresse ne se lit pas ici. Pages, fils, texte, Markdown, CSV, JSON, PDF et Word"
        " (.docx) se lisent.",
    },
    "large": {
        "en": "What is at this address is larger than what is read. Please paste the part that matters.",
        "fr": "Ce qui se trouve à cette adresse est plus gros que ce qui se lit. Veuillez coller la partie qui compte.",
    },
}

SIZE: Sentence = {
    "en": "It takes as much room as about {taken} words; there is room for about {room}.",
    "fr": "Cela prend autant de place qu’environ {taken} mots; il y a de la place pour environ {room}.",
}
WORDS_PER_TOKEN: Mapping[Language, float] = {"en": 0.75, "fr": 0.6}  # of ordinary prose, and roughly
GROUPED: Mapping[Language, str] = {"en": ",", "fr": "\u00a0"}
RETRY: Sentence = {"en": "(in about {seconds} s)", "fr": "(dans environ {seconds} s)"}

STATES: Mapping[str, Sentence] = {
    "queued": {"en": "Waiting for a place…", "fr": "En attente d’une place…"},
    "reading": {"en": "Reading…", "fr": "Lecture en cours…"},
    "thinking": {"en": "The model is thinking…", "fr": "Le modèle réfléchit…"},
    "reconnecting": {
        "en": "The model is being restarted; the answer will go on.",
        "fr": "Le modèle redémarre; la réponse va continuer.",
    },
    "trimmed": {
        "en": "This conversation is long: the model no longer sees its beginning.",
        "fr": "Cette conversation est longue : le modèle n’en voit plus le début.",
    },
}
POSITION: Sentence = {"en": "Place {position} in line.", "fr": "Place {position} dans la file."}
WAIT: Sentence = {"en": "About {seconds} s.", "fr": "Environ {seconds} s."}


def words(error: CspsError, language: Language) -> str:
    """What to tell a person. A code that has no sentence of its own is told as its base class."""
    codes = [str(kind.code) for kind in type(error).__mro__ if issubclass(kind, CspsError)]
    sentence = next(ERRORS[code] for code in codes if code in ERRORS)[language]
    if isinstance(error, PromptTooLong) and error.tokens is not None and error.limit is not None:
        return f"{sentence} {size_words(error.tokens, error.limit, language)}"
    if (exact := by_reason(error)) is not None:
        return exact[language]
    if error.retry_after_s is not None:
        return f"{sentence} {RETRY[language].format(seconds=math.ceil(error.retry_after_s))}"
    return sentence


def by_reason(error: CspsError) -> Sentence | None:
    """What is told where more is known than the error's class says."""
    match error:
        case UnreadableDocument(reason=reason):
            return OBSTACLES[reason] if reason else None
        case FetchFailed(reason=reason) | FetchRefused(reason=reason):
            return UNFETCHED[reason] if reason else None
        case BadRequest(fault=fault):
            return FAULTS[fault] if fault else None
    return None


def size_words(tokens: int, limit: int, language: Language) -> str:
    """In words, as nobody knows tokens; rounded apart, so that what is too much is never told as the same number."""
    taken, room = (number * WORDS_PER_TOKEN[language] for number in (tokens, limit))
    return SIZE[language].format(
        taken=grouped(rounded(taken, math.ceil), language), room=grouped(rounded(room, math.floor), language)
    )


def rounded(number: float, way: Callable[[float], int]) -> int:
    """To two digits that count."""
    step: int = 10 ** max(0, int(math.log10(max(number, 1))) - 1)
    return way(number / step) * step


def grouped(number: int, language: Language) -> str:
    return f"{number:,}".replace(",", GROUPED[language])


def status_words(status: Status, language: Language) -> str:
    """What to show while this is so."""
    parts = [STATES[status.state][language]]
    if status.position is not None:
        parts.append(POSITION[language].format(position=status.position))
    if status.wait_s is not None:
        parts.append(WAIT[language].format(seconds=math.ceil(status.wait_s)))
    return " ".join(parts)
