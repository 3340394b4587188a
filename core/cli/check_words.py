"""What `doctor` says, in English and French."""

from __future__ import annotations

from core.cli import preflight
from core.cli.words import Table

WORDS: Table = {
    "check": ("Check", "Vérification"),
    "state": ("State", "État"),
    "found": ("Found", "Constat"),
    "advice": ("What to do", "Que faire"),
    "ok": ("ok", "bon"),
    "warn": ("warning", "attention"),
    "problem": ("problem", "problème"),
    "all_well": ("Nothing stands in the way.", "Rien ne s'y oppose."),
    "some_problems": ("{count} problem(s) to solve.", "{count} problème(s) à régler."),
    "python": ("Python", "Python"),
    "python_old": (
        "Install Python 3.11 or newer, then `make clean install`.",
        "Installez Python 3.11 ou plus récent, puis `make clean install`.",
    ),
    "packages": ("Packages", "Paquets"),
    "missing": ("missing: {names}", "manquent : {names}"),
    "install": ("Run `make install`.", "Lancez `make install`."),
    "install_anew": ("Run `make clean install`.", "Lancez `make clean install`."),
    "cpu": ("Processor", "Processeur"),
    "cpu_slow": (
        "No AVX2 and no NEON: answers will be slow. Use another machine, or a remote engine (LLM_URL).",
        "Ni AVX2 ni NEON : les réponses seront lentes. Changez de machine, ou utilisez un moteur distant (LLM_URL).",
    ),
    "cores": ("Cores", "Cœurs"),
    "cores_found": ("{physical} physical, {threads} used", "{physical} physiques, {threads} utilisés"),
    "cores_many": (
        "More threads than physical cores make it slower: unset LLM_CPU_THREADS, or set it to {physical}.",
        "Plus de fils que de cœurs physiques ralentissent : retirez LLM_CPU_THREADS, ou mettez {physical}.",
    ),
    "engine": ("Engine", "Moteur"),
    "engine_dead": ("llama-cpp-python does not start", "llama-cpp-python ne démarre pas"),
    "engine_dead_advice": (
        "See why: .venv/bin/python -m core.model.prepare --probe. Then `make clean install`.",
        "Voyez pourquoi : .venv/bin/python -m core.model.prepare --probe. Puis `make clean install`.",
    ),
    "gpu": ("GPU", "Processeur graphique"),
    "gpu_none": ("no NVIDIA GPU", "pas de processeur NVIDIA"),
    "gpu_built": ("the engine is compiled for a GPU", "le moteur est compilé pour un processeur graphique"),
    "gpu_not_built": ("the engine is compiled for the CPU", "le moteur est compilé pour le processeur central"),
    "gpu_unused": (
        "It is not used. Install NVIDIA's CUDA toolkit (nvcc) if it is not there, then:"
        " rm .venv/installed.json; make install",
        "Il n'est pas utilisé. Installez la trousse CUDA de NVIDIA (nvcc) si elle manque, puis :"
        " rm .venv/installed.json; make install",
    ),
    "model": ("Model file", "Fichier du modèle"),
    "no_file": ("{path} does not exist", "{path} n'existe pas"),
    "no_model_file": ("Correct LLM_MODEL_FILE.", "Corrigez LLM_MODEL_FILE."),
    "bad_model_file": (
        "It is damaged or no GGUF file: fetch it again.",
        "Il est abîmé ou n'est pas un fichier GGUF : téléchargez-le de nouveau.",
    ),
    "starter_to_come": ("the starter model, still to be made: {path}", "le modèle de départ, encore à créer : {path}"),
    "no_starter": (
        "Nothing: the model process makes it when it starts, which takes some seconds.",
        "Rien : le processus de modèle le crée en démarrant, ce qui prend quelques secondes.",
    ),
    "bad_starter": (
        "Delete it; the model process makes it again when it starts.",
        "Supprimez-le; le processus de modèle le recrée en démarrant.",
    ),
    "is_starter": (
        "This is the starter model: all works with it, and its answers are weak. For a real one, set LLM_MODEL_FILE.",
        "C'est le modèle de départ : tout fonctionne avec lui, et ses réponses sont faibles. Pour un vrai modèle,"
        " réglez LLM_MODEL_FILE.",
    ),
    "model_to_fetch": (
        "It is fetched at the first start; that takes a network and disk space.",
        "Il est téléchargé au premier démarrage; il faut un réseau et de l'espace disque.",
    ),
    "memory": ("Memory", "Mémoire"),
    "memory_found": (
        "{needed} needed ({cache} of it for the context), {available} of {total} free",
        "{needed} nécessaires (dont {cache} pour le contexte), {available} libres sur {total}",
    ),
    "memory_short": (
        "Use a smaller model or quantisation, or a smaller LLM_CONTEXT_WINDOW.",
        "Prenez un modèle plus petit ou plus quantifié, ou un LLM_CONTEXT_WINDOW plus petit.",
    ),
    "memory_busy": (
        "Other programs (or this service, if it runs) hold the rest. Close some if it gets slow.",
        "D'autres programmes (ou ce service, s'il tourne) tiennent le reste. Fermez-en si cela ralentit.",
    ),
    "checksum": ("Bundled starter", "Modèle fourni"),
    "remote": ("Remote engine", "Moteur distant"),
    "remote_away": (
        "Check LLM_URL, LLM_API_KEY and LLM_MODEL, and that the engine runs.",
        "Vérifiez LLM_URL, LLM_API_KEY et LLM_MODEL, et que le moteur tourne.",
    ),
    "port": ("Port", "Port"),
    "port_free": ("{port} is free; the service is not running", "{port} est libre; le service ne tourne pas"),
    "port_ours": ("csps-llm answers on {port}", "csps-llm répond sur {port}"),
    "disk": ("Data folder", "Dossier de données"),
    "disk_found": ("{folder}, {free} free", "{folder}, {free} libres"),
    "disk_unwritable": (
        "It cannot be written: change its owner, or set CSPS_LLM_DATA.",
        "Impossible d'y écrire : changez-en le propriétaire, ou réglez CSPS_LLM_DATA.",
    ),
    "disk_file": ("{place} is a file", "{place} est un fichier"),
    "disk_no_folder": ("Set CSPS_LLM_DATA to a folder.", "Donnez un dossier par CSPS_LLM_DATA."),
    "disk_low": ("Free some space, or set CSPS_LLM_DATA.", "Libérez de l'espace, ou réglez CSPS_LLM_DATA."),
    "database": ("Database", "Base de données"),
    "database_opens": ("opens", "s'ouvre"),
    "database_advice": ("Check DATABASE_URL and the data folder.", "Vérifiez DATABASE_URL et le dossier de données."),
    "settings": ("Settings", "Réglages"),
    "settings_advice": (
        "Correct what is named there; `csps-llm up` refuses to start with it.",
        "Corrigez ce qui est nommé; `csps-llm up` refuse de démarrer ainsi.",
    ),
    "personalities": ("Personalities", "Personnalités"),
    "sources": ("Sources", "Sources"),
    "absent": (
        "Correct the name, or add what it names; until then answers say that it could not be read.",
        "Corrigez le nom, ou ajoutez ce qu'il nomme; d'ici là, les réponses disent qu'on n'a pas pu le lire.",
    ),
    "slack": ("Slack", "Slack"),
    "discord": ("Discord", "Discord"),
    "teams": ("Teams", "Teams"),
    "slack_is": ("{bot} in {team}", "{bot} dans {team}"),
    "discord_is": ("{bot}, application {id}", "{bot}, application {id}"),
    "teams_is": ("application {id} gets its tokens", "l'application {id} obtient ses jetons"),
    "not_set": ("{variable} is not set", "{variable} n'est pas défini"),
    "set_up": (
        "Set it, or unset the platform's other variables: docs/ has a page for each platform.",
        "Définissez-le, ou retirez les autres variables de la plateforme : docs/ a une page pour chacune.",
    ),
    "lacking": ("scopes that are not granted: {names}", "portées non accordées : {names}"),
    "slack_token": (
        "Copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions at api.slack.com/apps into SLACK_BOT_TOKEN.",
        "Copiez le Bot User OAuth Token (xoxb-…) de OAuth & Permissions, à api.slack.com/apps, dans SLACK_BOT_TOKEN.",
    ),
    "slack_scopes": (
        "Paste the output of `csps-llm manifest slack` into App Manifest, save, and reinstall the app.",
        "Collez la sortie de `csps-llm manifest slack` dans App Manifest, enregistrez et réinstallez l'application.",
    ),
    "slack_app_token": (
        "Make an App-Level Token with connections:write in Basic Information, for SLACK_APP_TOKEN; Socket Mode is on.",
        "Créez un App-Level Token avec connections:write dans Basic Information, pour SLACK_APP_TOKEN; activez Socket"
        " Mode.",
    ),
    "discord_token": (
        "Reset Token on the Bot page of the Developer Portal, and put the new one into DISCORD_BOT_TOKEN.",
        "Faites Reset Token à la page Bot du portail des développeurs, et mettez le nouveau dans DISCORD_BOT_TOKEN.",
    ),
    "discord_blind": ("the message content intent is off", "l'intention « message content » est désactivée"),
    "discord_intent": (
        "Switch on Message Content Intent on the Bot page of the Developer Portal, or unset DISCORD_MESSAGE_CONTENT.",
        "Activez Message Content Intent à la page Bot du portail, ou retirez DISCORD_MESSAGE_CONTENT.",
    ),
    "teams_open": (
        "Anybody on this machine can talk as anybody: only for Microsoft's playground. Unset it to serve people.",
        "Quiconque sur cette machine peut parler au nom de tous : seulement pour les essais. Retirez-le pour servir.",
    ),
    "teams_secret": (
        "Make a new client secret in the app registration (Certificates & secrets), for TEAMS_APP_PASSWORD; check"
        " TEAMS_APP_ID and TEAMS_TENANT_ID.",
        "Créez un secret client dans l'inscription d'application (Certificats et secrets), pour TEAMS_APP_PASSWORD;"
        " vérifiez TEAMS_APP_ID et TEAMS_TENANT_ID.",
    ),
    "unreachable": (
        "It cannot be reached from here: check the network, the proxy and the platform's address in the settings.",
        "Inaccessible d'ici : vérifiez le réseau, le mandataire et l'adresse de la plateforme dans les réglages.",
    ),
    "no_json": ("it does not answer in JSON", "la réponse n'est pas du JSON"),
    **preflight.WORDS,
}
