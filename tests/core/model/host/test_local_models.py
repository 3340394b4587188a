"""The models that requests may name: by settings, personalities, the catalogue and the files on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration import settings
from core.configuration.personalities import Personalities
from core.model.hardware.machine import Machine
from core.model.hardware.placement import Room
from core.model.host.deploying import deploy, identify
from core.model.host.local_models import LocalModels, find_models
from core.model.host.model_sources import ModelSources
from core.model.library import resources
from core.model.library.catalogue import ModelCatalogue
from core.model.library.choice import STARTER
from core.model.library.selection import write_selection
from core.model.library.specs import LocalFile, ModelSpec

ROOM = Room(8 << 30)
ENTRY = """[{id}]
title = "{id} title"
repo = "owner/{id}"
file = "{id}.gguf"
size_bytes = 10
licence = "MIT"
licence_url = "https://example.org"
languages = ["en"]
context_window = 2048
good_for.en = "All."
good_for.fr = "Tout."
"""
PERSONALITY = """title = "A"
language = "en"
description.en = "A test."
description.fr = "Un essai."
system = "Be brief."
greeting = "Hello."
model = {model}
"""


class Folder:
    """An operator's folder and a data folder."""

    def __init__(self, root: Path) -> None:
        self.config, self.data = root / "config", root / "var"
        (self.config / "personalities").mkdir(parents=True)
        (self.config / "models.toml").write_text("".join(ENTRY.format(id=each) for each in ("one", "two")))

    def write_personality(self, name: str, model: str) -> None:
        (self.config / "personalities" / f"{name}.toml").write_text(PERSONALITY.format(model=model))

    def add_file(self, repo: str, name: str, content: bytes = b"GGUF") -> Path:
        file = self.data / "models" / repo.replace("/", "--") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def sources(self, **variables: str) -> ModelSources:
        environ = {"CSPS_LLM_DATA": str(self.data), "CSPS_LLM_CONFIG": str(self.config), "LLM_AUTO": "off"}
        return ModelSources(settings.load({**environ, **variables}), ROOM)

    def find(self, **variables: str) -> LocalModels:
        return self.sources(**variables).find()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_only_configured_models_may_be_named(folder: Folder) -> None:
    """Those of personalities, those of the catalogue that are here, the default and the starter."""
    folder.write_personality("a", '"one"')
    folder.write_personality("b", '{ repo = "owner/own", file = "own.gguf", context_window = 512, gpu_layers = 3 }')
    folder.add_file("owner/own", "own.gguf")
    folder.add_file("owner/two", "two.gguf")
    found = folder.find()
    own = found.find("owner/own/own.gguf?context_window=512&gpu_layers=3")

    assert found.default is found.find(None) is found.find("starter")
    assert {"one", "two", "owner/own/own.gguf?context_window=512&gpu_layers=3"} == set(found.others)
    assert own is not None
    assert own.deployment is not None
    assert (512, 3) == (own.deployment.options.context_window, own.deployment.options.gpu_layers)
    assert (found.others["one"].deployment, "owner/one") == (None, getattr(found.others["one"].missing, "repo", None))
    assert found.find("owner/unknown/file.gguf") is None


def test_one_file_with_two_windows_is_two_deployments_of_shared_memory(folder: Folder) -> None:
    """Their workers map the same pages."""
    for name, window in (("a", 512), ("b", 1024)):
        folder.write_personality(name, f'{{ repo = "owner/own", file = "own.gguf", context_window = {window} }}')
    folder.add_file("owner/own", "own.gguf")
    first, second = (model.deployment for name, model in folder.find().others.items() if "own" in name)

    assert first is not None
    assert second is not None
    assert first != second
    assert first.memory.file == second.memory.file


def test_a_lesser_model_that_is_here_stands_in(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best one of the catalogue is the default, and not here yet."""
    machine = Machine(4, 64 << 30, 60 << 30, bandwidth_bytes_per_s=100e9)
    monkeypatch.setattr(resources, "inspect_machine", lambda *_: machine)
    monkeypatch.setattr(resources, "is_offline", lambda *_: False)
    before = folder.find(LLM_AUTO="on")
    folder.add_file("owner/two", "two.gguf")
    found = folder.find(LLM_AUTO="on")

    assert ("one", None) == (before.default.spec.id, before.interim)
    assert found.interim is found.others["two"]
    assert ["two"] == [each.spec.id for each in found.substitutes()]


def test_the_default_follows_settings_and_the_selection(folder: Folder) -> None:
    """It is read again at each look."""
    sources = folder.sources()
    before = sources.find().default.spec.id
    write_selection(folder.data, "two")
    selected = sources.find().default.spec.id
    configured = folder.find(LLM_MODEL="one").default.spec.id

    assert ("starter", "two", "one") == (before, selected, configured)


def test_a_broken_file_of_the_configuration_changes_nothing(folder: Folder) -> None:
    """The last good content holds."""
    folder.write_personality("a", '"one"')
    sources = folder.sources()
    before = set(sources.find().others)
    (folder.config / "models.toml").write_text("[one\n")
    folder.write_personality("a", '"two')

    assert before == set(sources.find().others) == {"one"}


def test_a_replaced_file_is_another_deployment(folder: Folder) -> None:
    """Also one of the same size, and any part of a split model."""
    first = folder.add_file("owner/split", "m-00001-of-00002.gguf")
    second = folder.add_file("owner/split", "m-00002-of-00002.gguf")
    chosen = folder.sources().settings
    spec = ModelSpec("split", "Split", LocalFile(first))
    before = deploy(spec, first, chosen, ROOM)
    part = second.with_suffix(".part")
    part.write_bytes(b"GGUF")
    part.replace(second)

    assert identify(first) != before.file
    assert deploy(spec, first, chosen, ROOM) != before
    assert 8 == before.memory.file_bytes


def test_a_name_by_wildcard_is_the_files_name(folder: Folder) -> None:
    """People see the model that a pattern found."""
    folder.write_personality("a", '{ repo = "owner/own", file = "*Q4_K_M.gguf" }')
    folder.add_file("owner/own", "Own-7B-Q4_K_M.gguf")
    (model,) = folder.find().others.values()

    assert model.deployment is not None
    assert "Own-7B-Q4_K_M" == model.deployment.options.name


def test_a_model_that_vanishes_is_not_here(folder: Folder) -> None:
    """The default answers in its place, and it is downloaded again."""
    folder.write_personality("a", '"one"')
    file = folder.add_file("owner/one", "one.gguf")
    sources = folder.sources()
    assert sources.find().others["one"].deployment
    file.unlink()

    assert sources.find().others["one"].missing


def test_an_engines_models_are_not_ours(folder: Folder) -> None:
    """A personality may name one that only an engine behind a URL serves."""
    folder.write_personality("a", '"qwen3-32b"')
    catalogue, personalities = (
        ModelCatalogue(folder.config / "models.toml"),
        Personalities(folder.config / "personalities"),
    )
    personalities.load()

    assert {} == find_models(folder.sources().settings, STARTER, catalogue, personalities, ROOM).others
