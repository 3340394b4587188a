"""The default model, by settings, selection and machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.configuration import settings
from core.errors import ConfigError, NotFound
from core.model.library.catalogue import ModelCatalogue
from core.model.library.choice import STARTER, Choice, choose_default, find_spec, hub_spec, parse_hub_id
from core.model.library.fit import Resources
from core.model.library.selection import models_folder, read_selection, selection_file, write_selection
from core.model.library.specs import HubFile, LocalFile, ModelSpec

GIB = 1 << 30
SMALL = Resources(4 * GIB, 3 * GIB, 15e9, 100 * GIB)
TINY = Resources(1 * GIB, GIB // 2, 5e9, 100 * GIB)


@pytest.fixture
def catalogue() -> ModelCatalogue:
    shipped = ModelCatalogue(PROJECT_ROOT / "config" / "models.toml")
    shipped.load()
    return shipped


def choose(tmp_path: Path, catalogue: ModelCatalogue, resources: Resources | None = None, **variables: str) -> Choice:
    """Without `resources`, looking at the machine fails the test."""

    def find_resources() -> Resources:
        assert resources is not None, "the machine was inspected for nothing"
        return resources

    chosen = settings.load({"CSPS_LLM_DATA": str(tmp_path), **variables})
    return choose_default(chosen, catalogue, find_resources)


def test_each_way_to_name_a_model_precedes_the_next(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    """File, repository, LLM_MODEL, `models use`, the machine, the starter."""
    write_selection(tmp_path, "ministral-8b")
    variables = {
        "LLM_MODEL_FILE": "/srv/own.Q4.gguf",
        "LLM_HUGGINGFACE_REPO": "someone/model",
        "LLM_HUGGINGFACE_FILE": "*.gguf",
        "LLM_MODEL": "ministral-3b",
        "LLM_AUTO": "on",
    }
    found = []
    for name in ("LLM_MODEL_FILE", "LLM_HUGGINGFACE_REPO", "LLM_MODEL"):
        found.append(choose(tmp_path, catalogue, **variables))
        variables = {key: value for key, value in variables.items() if key != name}
        if name == "LLM_HUGGINGFACE_REPO":
            del variables["LLM_HUGGINGFACE_FILE"]
    found.append(choose(tmp_path, catalogue, **variables))
    write_selection(tmp_path, None)
    found.append(choose(tmp_path, catalogue, SMALL, **variables))
    found.append(choose(tmp_path, catalogue, LLM_AUTO="off"))

    expected = ["file", "repository", "variable", "selected", "automatic", "off"]
    assert expected == [each.reason for each in found]
    ids = ["own.Q4.gguf", "someone/model/*.gguf", "ministral-3b", "ministral-8b", "qwen-1-5b", "starter"]
    assert ids == [each.spec.id for each in found]
    assert LocalFile(Path("/srv/own.Q4.gguf")) == found[0].spec.source


def test_an_automatic_choice_has_the_verdict_on_every_model(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    """`up` and `models list` say why each better model was not taken."""
    choice = choose(tmp_path, catalogue, SMALL)

    assert catalogue.names() == tuple(each.id for each in choice.verdicts)
    assert choice.spec.id == next(each.id for each in choice.verdicts if each.fits)


def test_a_lesser_model_that_is_here_answers_meanwhile(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    """The hub may be away, or the download slow."""
    large = Resources(64 * GIB, 60 * GIB, 200e9, 100 * GIB, downloaded=frozenset({"ministral-3b", "bge-m3"}))
    choice = choose(tmp_path, catalogue, large)

    assert ("ministral-14b", "ministral-3b") == (choice.spec.id, choice.interim.id)
    assert STARTER == choose(tmp_path, catalogue, SMALL).interim


def test_offline_only_downloaded_models_count(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    """HF_HUB_OFFLINE forbids downloads, so the best model that is here answers."""
    offline = Resources(64 * GIB, 60 * GIB, 200e9, 100 * GIB, offline=True, downloaded=frozenset({"ministral-3b"}))
    choice = choose(tmp_path, catalogue, offline)

    assert "ministral-3b" == choice.spec.id
    assert [("offline",)] == [tuple(o.kind for o in each.obstacles) for each in choice.verdicts[:1]]


def test_a_machine_that_is_too_small_gets_the_starter(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    choice = choose(tmp_path, catalogue, TINY)

    assert (STARTER, "nothing_fits") == (choice.spec, choice.reason)
    assert not any(each.fits for each in choice.verdicts)


def test_an_unknown_name_in_a_variable_is_refused(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    with pytest.raises(ConfigError, match="LLM_MODEL: no model named 'ministral-3'; did you mean 'ministral-3b'"):
        choose(tmp_path, catalogue, LLM_MODEL="ministral-3")


def test_a_model_of_remote_engines_needs_nothing_of_this_machine(tmp_path: Path) -> None:
    """Named or selected, it is the default: nothing is downloaded, and the starter is the local default."""
    file = tmp_path / "models.toml"
    file.write_text('[far]\ntitle = "Far"\nengines = [{ url = "http://gpu.invalid/v1" }]\n')
    remote = ModelCatalogue(file)
    remote.load()
    named = choose(tmp_path, remote, LLM_MODEL="far")
    write_selection(tmp_path, "far")
    selected = choose(tmp_path, remote)

    for choice, reason in ((named, "variable"), (selected, "selected")):
        assert (STARTER, reason, "far", "Far") == (choice.spec, choice.reason, choice.id, choice.title)


def test_the_name_for_an_engine_is_not_looked_up(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    """With LLM_URL, LLM_MODEL names a model of that engine."""
    choice = choose(tmp_path, catalogue, LLM_URL="http://localhost:8000/v1", LLM_MODEL="gpt-x", LLM_AUTO="off")

    assert STARTER == choice.spec


def test_a_selection_that_is_gone_from_the_catalogue_is_reported(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    """The service starts all the same."""
    write_selection(tmp_path, "gone-7b")
    choice = choose(tmp_path, catalogue, SMALL)

    assert ("automatic", "gone-7b") == (choice.reason, choice.ignored)
    assert "gone-7b" == choose(tmp_path, catalogue, LLM_AUTO="off").ignored


def test_the_starter_can_be_selected(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    """As the other way to say no."""
    write_selection(tmp_path, "starter")

    assert (STARTER, "selected") == ((choice := choose(tmp_path, catalogue)).spec, choice.reason)


@pytest.mark.parametrize("content", [b"", b"no json", b"[]", b'{"model": 3}', b'{"model": ""}', b"[" * 100_000])
def test_a_damaged_selection_selects_nothing(tmp_path: Path, content: bytes) -> None:
    models_folder(tmp_path).mkdir(parents=True)
    selection_file(tmp_path).write_bytes(content)

    assert read_selection(tmp_path) is None


def test_a_model_outside_the_catalogue_has_an_id(catalogue: ModelCatalogue) -> None:
    """The id names it again, also with a folder in the repository."""
    source = HubFile("owner/Name-GGUF", "q4/model-Q4_K_M.gguf")
    spec = hub_spec(source)

    assert ModelSpec("owner/Name-GGUF/q4/model-Q4_K_M.gguf", "model-Q4_K_M", source) == spec
    assert spec == find_spec(spec.id, catalogue)
    assert "Name-GGUF" == hub_spec(HubFile("owner/Name-GGUF", "*Q4*.gguf")).title


@pytest.mark.parametrize(
    "text", ["owner/name", "owner/name/", "owner/name/../x.gguf", "/etc/x.gguf", "owner/name/x.bin", "a b/c/x.gguf", ""]
)
def test_other_texts_are_no_ids(text: str, catalogue: ModelCatalogue) -> None:
    assert parse_hub_id(text) is None
    with pytest.raises(NotFound):
        find_spec(text, catalogue)
