"""Personalities: valid files, errors, and reloading."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.configuration.personalities import Personalities, SamplingDefaults
from core.contract import Sampling
from core.errors import ConfigError, PersonalityUnknown

SHIPPED = Path(__file__).parents[3] / "config" / "personalities"
GOOD = """
title = "Echo"
language = "en"
system = "You are Echo."
greeting = "Hello!"
[description]
en = "An echo."
fr = "Un écho."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "echo.toml").write_text(GOOD)
    return tmp_path


def loaded(folder: Path) -> Personalities:
    personalities = Personalities(folder)
    personalities.load()
    return personalities


def test_shipped_personalities_are_valid() -> None:
    """Whisper speaks English, Chuchotte French, and one has facts in its instructions."""
    shipped = loaded(SHIPPED)

    assert shipped.get("whisper").language == "en"
    assert shipped.get("chuchotte").language == "fr"
    stuffed = [shipped.get(name) for name in shipped.names() if shipped.get(name).facts]
    assert stuffed
    for personality in stuffed:
        assert all(fact in personality.instructions for fact in personality.facts)


def test_every_problem_of_every_file_is_reported_with_its_line(folder: Path) -> None:
    """The error lists all problems, each with file, line and key."""
    (folder / "a.toml").write_text(GOOD.replace('language = "en"', 'language = "de"').replace("system", "sytem"))
    (folder / "b.toml").write_text("title = ")
    (folder / "Bad Name.toml").write_text(GOOD)

    with pytest.raises(ConfigError) as caught:
        loaded(folder)

    message = caught.value.message
    assert f"{folder / 'a.toml'}:3: `language`" in message
    assert "`sytem` is not a setting; did you mean `system`?" in message
    assert "`system` is missing" in message
    assert f"{folder / 'b.toml'}: not valid TOML" in message
    assert f"{folder / 'Bad Name.toml'}: the file's name" in message


@pytest.mark.parametrize(
    "line", ['sources = ["../x"]', 'collections = ["A B"]', "facts = [1]", 'facts = [""]', 'name = "other"']
)
def test_unusable_values_are_refused(folder: Path, line: str) -> None:
    """Invalid identifiers, facts that are not text, and a second name."""
    (folder / "echo.toml").write_text(f"{line}\n{GOOD}")

    with pytest.raises(ConfigError, match=r"echo\.toml:1"):
        loaded(folder)


@pytest.mark.parametrize(
    ("line", "model_id"),
    [
        ("", None),
        ('model = "ministral-3b"', "ministral-3b"),
        ('model = {repo = "a/b-GGUF", file = "*Q4_K_M.gguf"}', "a/b-GGUF/*Q4_K_M.gguf"),
        (
            'model = {repo = "a/b", file = "c.gguf", gpu_layers = -1, context_window = 8192}',
            "a/b/c.gguf?context_window=8192&gpu_layers=-1",
        ),
    ],
)
def test_a_model_is_named_by_an_id_or_described_by_a_table(folder: Path, line: str, model_id: str | None) -> None:
    """Two personalities with the same table have the same id, in whatever order it is written."""
    (folder / "echo.toml").write_text(f"{line}\n{GOOD}")

    assert loaded(folder).get("echo").model_id == model_id


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("3", r"`model`: expected a model's name in quotation marks, or a table"),
        ('""', r"`model`"),
        ('{repo = "a/b"}', r"`model\.file` is missing"),
        ('{repo = "https://x/a/b", file = "c.gguf"}', r"`model\.repo`: expected owner/name"),
        ('{repo = "../b", file = "c.gguf"}', r"`model\.repo`: expected owner/name"),
        ('{repo = "a/b", file = "../c.gguf"}', r"`model\.file`: expected a file of the repository"),
        ('{repo = "a/b", file = "/c.gguf"}', r"`model\.file`: expected a file of the repository"),
        ('{repo = "a/b", file = "c.gguf", gpu_layer = 1}', r"`model\.gpu_layer` .* did you mean `gpu_layers`"),
        ('{repo = "a/b", file = "c.gguf", gpu_layers = true}', r"`model\.gpu_layers`: expected a number"),
        ('{repo = "a/b", file = "c.gguf", context_window = 1}', r"`model\.context_window`: .*256"),
    ],
)
def test_an_unusable_model_is_refused_with_its_line(folder: Path, value: str, problem: str) -> None:
    """The error names the key within the table."""
    (folder / "echo.toml").write_text(f"model = {value}\n{GOOD}")

    with pytest.raises(ConfigError, match=r"echo\.toml:1: " + problem):
        loaded(folder)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ('"How?"', r"`suggestions`: expected a list"),
        ('["1?", "2?", "3?", "4?", "5?", "6?", "7?"]', "`suggestions`: expected at most 6 questions, not 7"),
        (f'["How?", "{"a" * 121}"]', "`suggestions`: question 2 has 121 characters; expected at most 120"),
        (r'["a\nb"]', "`suggestions`: question 1 has a line break or a control character; expected one line"),
        (r'["a\u202Eb"]', "`suggestions`: question 1 has a line break or a control character"),
        ('["How?", " How? "]', "`suggestions`: question 2 is there twice"),
        ('[" "]', r"`suggestions\.0`: expected a text that is not empty"),
        ("[1]", r"`suggestions\.0`: expected a text, in quotes"),
    ],
)
def test_unusable_suggestions_are_refused_with_their_line(folder: Path, value: str, problem: str) -> None:
    """The error says which question, and what is right."""
    (folder / "echo.toml").write_text(f"suggestions = {value}\n{GOOD}")

    with pytest.raises(ConfigError, match=r"echo\.toml:1: " + problem):
        loaded(folder)


def test_shipped_personalities_suggest_questions() -> None:
    """Three to six, in the personality's language; none is the default."""
    shipped = loaded(SHIPPED)

    for name in shipped.names():
        assert 3 <= len(shipped.get(name).suggestions) <= 6
    assert "Comment " in " ".join(shipped.get("chuchotte").suggestions)


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    """A service without any personality does not start."""
    with pytest.raises(ConfigError, match="no personality"):
        loaded(tmp_path)
    with pytest.raises(ConfigError, match="No such file"):
        loaded(tmp_path / "absent")


def test_unknown_personality_names_the_nearest_and_all() -> None:
    """The error lists the known names."""
    with pytest.raises(PersonalityUnknown, match=r"did you mean 'whisper'\? There are: whisper, chuchotte, guide"):
        loaded(SHIPPED).get("wisper")


def test_hidden_files_are_not_personalities(folder: Path) -> None:
    """Editors keep working copies beside the file."""
    (folder / ".echo.toml").write_text("half wri")

    assert loaded(folder).names() == ("echo",)


def test_callers_sampling_wins_over_the_personalitys() -> None:
    """The personality fills the caller's missing fields; zero is not missing."""
    defaults = SamplingDefaults(temperature=0.7, max_tokens=100, top_p=0.9)

    assert defaults.under(Sampling(temperature=0, max_tokens=5, stop=("x",))) == Sampling(
        temperature=0, max_tokens=5, top_p=0.9, stop=("x",)
    )


async def test_a_bad_change_keeps_the_old_files_and_is_logged(folder: Path) -> None:
    """After a bad edit the old personality stays, and a log event names file, line and key."""
    personalities = loaded(folder)
    (folder / "echo.toml").write_text(GOOD.replace('"en"', '"xx"'))

    with capture_logs() as logs:
        assert not await personalities.reload()

    assert personalities.get("echo").language == "en"
    assert "echo.toml:3" in logs[0]["problem"]


async def test_changes_take_effect_while_running(folder: Path) -> None:
    """A changed file takes effect without a restart; a running answer keeps the old personality."""
    personalities = loaded(folder)
    held = personalities.get("echo")
    swapped = asyncio.Event()
    watching = asyncio.create_task(personalities.watch(swapped.set))
    new = folder / "nova.toml"
    while not swapped.is_set():  # the watcher tells nobody when it begins to watch
        new.write_text(GOOD)
        (folder / "echo.toml").write_text(GOOD.replace("You are Echo.", "You are Iris."))
        try:
            await asyncio.wait_for(swapped.wait(), 0.5)
        except TimeoutError:
            continue
    watching.cancel()

    assert "nova" in personalities.names()
    assert personalities.get("echo").system == "You are Iris."
    assert held.system == "You are Echo."


def test_lists_are_in_the_order_of_position() -> None:
    """Whisper and Chuchotte come first: the page takes the first of a language."""
    assert ("whisper", "chuchotte") == loaded(SHIPPED).names()[:2]
