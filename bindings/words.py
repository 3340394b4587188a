"""What the bots say by themselves, in English and French. What goes wrong in the core is in the catalogue of texts.

Notices are Markdown, except for those that stand under an answer. Of what people wrote, nothing is repeated but the
names of files, which are made harmless first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bindings.delivery.outlet import Translations
from bindings.files import MessageFiles, UnreadFile, UnreadReason
from core.contract import Language
from core.rag.context import plain_name

FOOTER: Translations = {
    "en": "Written by AI (model {model}). Check what matters.",
    "fr": "Rédigé par une IA (modèle {model}). Vérifiez ce qui compte.",
}
FOOTER_UNNAMED: Translations = {
    "en": "Written by AI. Check what matters.",
    "fr": "Rédigé par une IA. Vérifiez ce qui compte.",
}
FOOTER_LABELLED: Translations = {"en": "Model: {model}", "fr": "Modèle : {model}"}  # the platform says that it is AI
PRIVACY: Translations = {
    "en": "First time here? This bot is run by the people who installed it in this workspace. What you write to it and"
    " what it answers is stored for {days} days, then deleted; write “forget” to delete a conversation now. Do not"
    " enter protected or personal information.",
    "fr": "Première fois ici? Ce robot est géré par les personnes qui l’ont installé dans cet espace de travail. Ce que"
    " vous lui écrivez et ce qu’il répond est conservé {days} jours, puis supprimé; écrivez « oublie » pour supprimer"
    " une conversation tout de suite. N’entrez pas de renseignements protégés ou personnels.",
}
GIVEN_UP: Translations = {
    "en": "I give up on this message: each time I began with it, the program broke down. Please ask in another way; if"
    " it happens again, tell the people who run this bot.",
    "fr": "J’abandonne ce message : chaque fois que je l’ai commencé, le programme est tombé en panne. Veuillez"
    " demander autrement; si cela se reproduit, dites-le aux responsables de ce robot.",
}
NOTHING_TO_STOP: Translations = {
    "en": "Nothing is being written in this conversation.",
    "fr": "Rien n’est en cours de rédaction dans cette conversation.",
}
NOTHING_TO_REGENERATE: Translations = {
    "en": "There is no answer in this conversation that could be written again.",
    "fr": "Il n’y a pas de réponse à recommencer dans cette conversation.",
}
FORGOTTEN: Translations = {
    "en": "This conversation is forgotten: what was said in it is deleted here. The messages that you see are this"
    " platform’s, and stay until they are deleted there.",
    "fr": "Cette conversation est oubliée : ce qui y a été dit est supprimé ici. Les messages que vous voyez"
    " appartiennent à cette plateforme et y restent jusqu’à ce qu’ils y soient supprimés.",
}
THREADS_APART: Translations = {  # beside FORGOTTEN
    "en": "Threads are conversations of their own: write “forget” in each that is to be forgotten too.",
    "fr": "Les fils sont des conversations à part : écrivez « oublie » dans chacun de ceux qui sont à oublier aussi.",
}
NOTHING_FORGOTTEN: Translations = {
    "en": "Nothing was deleted: in this channel each thread is a conversation of its own. To have one deleted, write"
    " “forget” in it and mention me.",
    "fr": "Rien n’a été supprimé : dans ce canal, chaque fil est une conversation à part. Pour en faire supprimer un,"
    " écrivez-y « oublie » en me mentionnant.",
}
LIMITED: Translations = {
    "en": "You have asked a lot in a short time. Your next message will be answered in about {minutes} min.",
    "fr": "Vous avez posé beaucoup de questions en peu de temps. Votre prochain message recevra une réponse dans"
    " environ {minutes} min.",
}
REFUSED: Translations = {
    "en": "This bot has not been set up to answer you here. The people who run it can change that.",
    "fr": "Ce robot n’est pas configuré pour vous répondre ici. Ses responsables peuvent changer cela.",
}
PERSONALITY_CHOSEN: Translations = {
    "en": "**{title}** now answers in this conversation.",
    "fr": "**{title}** répond maintenant dans cette conversation.",
}
PERSONALITY_CHOSEN_FOR_THREADS: Translations = {
    "en": "**{title}** answers in threads that begin here from now on.",
    "fr": "**{title}** répond dans les fils qui commencent ici à partir de maintenant.",
}
THREADS_KEEP: Translations = {
    "en": "To change who answers in a thread that is there already, write “personality” and a name in it.",
    "fr": "Pour changer qui répond dans un fil déjà commencé, écrivez-y « personnalité » et un nom.",
}
PERSONALITY_UNKNOWN: Translations = {
    "en": "There is no personality of that name.",
    "fr": "Aucune personnalité ne porte ce nom.",
}
PERSONALITY_LIST: Translations = {
    "en": "Write “personality” and a name to choose who answers in this conversation:",
    "fr": "Écrivez « personnalité » et un nom pour choisir qui répond dans cette conversation :",
}
HERE: Translations = {"en": "answers here", "fr": "répond ici"}
HELP: Translations = {
    "en": """Ask me anything in your own words. I know what was said in this conversation, and read files that you\
 attach (text, Markdown, HTML, CSV, JSON, PDF, DOCX).

**{title}** answers here, an AI: {model}. It can be wrong: check what matters.

- `stop` ends the answer that is being written
- `again` writes the last answer anew
- `forget` deletes this conversation
- `personality` shows who can answer, `personality` and a name chooses
- `help` shows this

With a JSON Schema in a code block or a .json file, I answer with JSON that was checked against it; with a CSV file as\
 well, I do so for each of its rows, where `{{column}}` in your message stands for a row’s value.

What is said here is stored for {days} days, or until `forget`. Do not enter protected or personal information.""",
    "fr": """Demandez-moi ce que vous voulez, dans vos mots. Je sais ce qui a été dit dans cette conversation et je lis\
 les fichiers joints (texte, Markdown, HTML, CSV, JSON, PDF, DOCX).

**{title}** répond ici, une IA : {model}. Elle peut se tromper : vérifiez ce qui compte.

- `arrête` met fin à la réponse en cours
- `recommence` réécrit la dernière réponse
- `oublie` supprime cette conversation
- `personnalité` montre qui peut répondre, `personnalité` suivi d’un nom choisit
- `aide` affiche ceci

Avec un schéma JSON dans un bloc de code ou un fichier .json, je réponds par du JSON vérifié d’après ce schéma; avec un\
 fichier CSV en plus, je le fais pour chacune de ses lignes, où `{{colonne}}` dans votre message est remplacé par la\
 valeur de la ligne.

Ce qui est dit ici est conservé {days} jours, ou jusqu’à `oublie`. N’entrez pas de renseignements protégés ou\
 personnels.""",
}
MODEL: Translations = {"en": "model {model}", "fr": "modèle {model}"}
STARTER: Translations = {
    "en": "model {model}, the weak starter model",
    "fr": "modèle {model}, le modèle de départ, faible",
}
NO_MODEL: Translations = {
    "en": "no model answers at the moment",
    "fr": "aucun modèle ne répond en ce moment",
}
GREETING: Translations = {
    "en": "{greeting}\n\nI am an AI ({model}) and can be wrong: check what matters.",
    "fr": "{greeting}\n\nJe suis une IA ({model}) et je peux me tromper : vérifiez ce qui compte.",
}
PROMPTS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "What can you help me with?",
        "Help me write a short email to my team about a change of schedule.",
        "Explain in plain language what a machine-learning model is.",
    ),
    "fr": (
        "En quoi pouvez-vous m’aider?",
        "Aidez-moi à écrire un court courriel à mon équipe au sujet d’un changement d’horaire.",
        "Expliquez en langage clair ce qu’est un modèle d’apprentissage automatique.",
    ),
}

ABOUT_FILES: Translations = {  # asked for a person who sent files and no words
    "en": "Say briefly what this is about.",
    "fr": "Dis brièvement de quoi il s’agit.",
}
ABOUT_HEARD: Translations = {  # asked for a person who called the bot into a conversation without a word
    "en": "Answer what was just said.",
    "fr": "Réponds à ce qui vient d’être dit.",
}
FILL_IN: Translations = {  # asked for a person who sent a schema and material, and no words
    "en": "Fill this in from what is given.",
    "fr": "Remplis ceci à partir de ce qui est donné.",
}
SAID_BEFORE: Translations = {"en": "said before", "fr": "dit auparavant"}

UNREAD: Mapping[UnreadReason, Translations] = {
    "kind": {
        "en": "Not read: {names}. I read text, Markdown, HTML, CSV, JSON, PDF and DOCX files.",
        "fr": "Non lu : {names}. Je lis les fichiers texte, Markdown, HTML, CSV, JSON, PDF et DOCX.",
    },
    "content": {
        "en": "Not read: {names}. No text could be read from it.",
        "fr": "Non lu : {names}. Aucun texte n’a pu en être lu.",
    },
    "locked": {
        "en": "Not read: {names}. It is locked by a password; attach it without one.",
        "fr": "Non lu : {names}. Il est verrouillé par un mot de passe; joignez-le sans mot de passe.",
    },
    "pictures": {
        "en": "Not read: {names}. It has no text, only pictures of it; attach one with text, such as from OCR.",
        "fr": "Non lu : {names}. Il n’a pas de texte, seulement des images; joignez-en un qui a du texte, issu d’une"
        " reconnaissance de caractères par exemple.",
    },
    "damaged": {
        "en": "Not read: {names}. It is damaged; save it anew, or attach another copy.",
        "fr": "Non lu : {names}. Il est endommagé; enregistrez-le de nouveau ou joignez-en une autre copie.",
    },
    "large": {
        "en": "Not read: {names}. It is too large or too complicated; attach the part that matters.",
        "fr": "Non lu : {names}. Il est trop gros ou trop complexe; joignez la partie qui compte.",
    },
    "empty": {
        "en": "Not read: {names}. There is no text in it.",
        "fr": "Non lu : {names}. Il ne contient pas de texte.",
    },
    "size": {
        "en": "Not read: {names}. A file may have at most {limit}.",
        "fr": "Non lu : {names}. Un fichier peut avoir au plus {limit}.",
    },
    "fetch": {
        "en": "Not read: {names}. The platform did not hand it over; try to attach it again.",
        "fr": "Non lu : {names}. La plateforme ne l’a pas remis; essayez de le joindre à nouveau.",
    },
    "number": {
        "en": "Not read: {names}. That is too many files at once.",
        "fr": "Non lu : {names}. C’est trop de fichiers à la fois.",
    },
}
CUT: Translations = {
    "en": "Read in part: {names}. It is too long; its end was left out.",
    "fr": "Lu en partie : {names}. C’est trop long; la fin a été laissée de côté.",
}
SIZE: Translations = {"en": "{size:.1f} MB", "fr": "{size:.1f} Mo"}

NO_SCHEMA: Translations = {
    "en": "I found no JSON Schema. Put it in a code block (three backticks before and after), or attach it as a .json"
    " file.",
    "fr": "Je n’ai pas trouvé de schéma JSON. Mettez-le dans un bloc de code (trois accents graves avant et après) ou"
    " joignez-le en fichier .json.",
}
NO_TASK: Translations = {
    "en": "I found the JSON Schema. Say also what it is to be filled in from.",
    "fr": "J’ai trouvé le schéma JSON. Dites aussi à partir de quoi le remplir.",
}
IN_FILE: Translations = {
    "en": "The answer is in the file {name}. It was checked against your schema.",
    "fr": "La réponse est dans le fichier {name}. Elle a été vérifiée d’après votre schéma.",
}
ROWS_UNDER_WAY: Translations = {
    "en": "{done} of {total} rows, {failed} failed, {rate:.1f} rows/s, {left} left…",
    "fr": "{done} lignes sur {total}, {failed} en échec, {rate:.1f} lignes/s, encore {left}…",
}
ROWS_BEGIN: Translations = {"en": "{total} rows…", "fr": "{total} lignes…"}
ROWS_DONE: Translations = {
    "en": "{done} rows, all answered; each value was checked against your schema.",
    "fr": "{done} lignes, toutes répondues; chaque valeur a été vérifiée d’après votre schéma.",
}
ROWS_SOME_FAILED: Translations = {
    "en": "{done} rows, {failed} of them failed ({codes}): their lines say why. The other values were checked against"
    " your schema.",
    "fr": "{done} lignes, dont {failed} en échec ({codes}) : leurs lignes disent pourquoi. Les autres valeurs ont été"
    " vérifiées d’après votre schéma.",
}
ROWS_STOPPED: Translations = {
    "en": "Stopped after {done} of {total} rows.",
    "fr": "Arrêté après {done} lignes sur {total}.",
}
ROWS_IN_FILE: Translations = {"en": "They are in the file {name}.", "fr": "Elles sont dans le fichier {name}."}
ROWS_CUT: Translations = {
    "en": "Files cannot be sent here: these are the first {shown}.",
    "fr": "Il n’est pas possible d’envoyer des fichiers ici : voici les {shown} premières.",
}
NO_ROWS: Translations = {"en": "The file has no rows.", "fr": "Le fichier n’a pas de lignes."}
TOO_MANY_ROWS: Translations = {
    "en": "The file has more than {limit} rows, which is the most at once here.",
    "fr": "Le fichier a plus de {limit} lignes, le maximum à la fois ici.",
}
SEVERAL_FILES_OF_ROWS: Translations = {
    "en": "Please send one file of rows at a time.",
    "fr": "Veuillez envoyer un seul fichier de lignes à la fois.",
}


def unread(files: Sequence[UnreadFile], limit_bytes: int, language: Language) -> list[str]:
    """A sentence for each reason why files were not read."""
    names: dict[UnreadReason, list[str]] = {}
    for file in files:
        names.setdefault(file.reason, []).append(plain_name(file.name))
    size = SIZE[language].format(size=limit_bytes / 2**20)
    return [UNREAD[why][language].format(names=", ".join(named), limit=size) for why, named in names.items()]


def shortcomings(files: MessageFiles, limit_bytes: int, language: Language) -> list[str]:
    """Which files were not read, or not to their end."""
    said = unread(files.unread, limit_bytes, language)
    if cut := [plain_name(file.name) for file in files.readable if file.cut]:
        said.append(CUT[language].format(names=", ".join(cut)))
    return said


def duration(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
