"""What delivery itself tells a person, in English and French. Platforms' own strings are with the platforms."""

from __future__ import annotations

from bindings.delivery.outlet import Sentences

STOPPED: Sentences = {"en": "Stopped, as asked.", "fr": "Arrêté sur demande."}
CUT: Sentences = {
    "en": "This answer reached the length limit and ends here. Ask for the rest to go on.",
    "fr": "Cette réponse a atteint la longueur maximale et s’arrête ici. Demandez la suite pour continuer.",
}
EMPTY: Sentences = {
    "en": "The model gave no answer. Please try again, or ask in other words.",
    "fr": "Le modèle n’a rien répondu. Veuillez réessayer ou reformuler la question.",
}
BREAKS_OFF: Sentences = {"en": "The answer breaks off here. {reason}", "fr": "La réponse s’interrompt ici. {reason}"}
