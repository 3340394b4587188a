"""The file of the policy on personal information."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration import settings
from core.configuration.personal_information import FILE, PersonalInformationPolicy
from core.errors import ConfigError
from core.privacy.findings import BUILT_IN_KINDS

POLICY = r"""
[default]
email = "allow"
[channels.slack]
pri = "block"
[personalities.hr]
everywhere = { email = "block" }
channels.web = { email = "mask" }
[allowed]
emails = ["gc.ca"]
[patterns.pri]
pattern = 'PRI \d{8}'
title = { en = "PRI", fr = "CIDP" }
"""


def load(tmp_path: Path, content: str) -> PersonalInformationPolicy:
    file = tmp_path / FILE
    file.write_text(content, encoding="utf-8")
    policy = PersonalInformationPolicy(file)
    policy.load()
    return policy


def test_the_shipped_policy_masks_all_kinds_and_passes_the_governments_own() -> None:
    policy = PersonalInformationPolicy(settings.SHIPPED / FILE)
    policy.load()
    rules = policy.policy.rules("whisper", "web")

    assert {"mask"} == {rules.action(kind) for kind in BUILT_IN_KINDS}
    assert [] == rules.detector.find("Call 1-800-622-6232 or write to info@tbs-sct.gc.ca, K1A 0R5.")


def test_a_policy_is_read(tmp_path: Path) -> None:
    policy = load(tmp_path, POLICY).policy

    assert "allow" == policy.rules("whisper", "web").action("email")
    assert ("block", "mask") == (policy.rules("hr", "slack").action("email"), policy.rules("hr", "web").action("email"))
    assert ("block", "mask") == (policy.rules("hr", "slack").action("pri"), policy.rules("hr", "web").action("pri"))
    assert ["pri"] == [each.kind for each in policy.detector.find("PRI 12345678, info@x.gc.ca")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('[default]\nemial = "mask"', f"{FILE}:2: there is no kind 'emial'; did you mean 'email'?"),
        ('[default]\nemail = "hide"', f"{FILE}:2"),
        ('[channels.slak]\nemail = "mask"', "there is no channel 'slak'; did you mean 'slack'?"),
        (
            "[patterns.pri]\npattern = 'a+'\ntitle = { en = 'a', fr = 'b' }",
            f"{FILE}:2: `patterns.pri.pattern`: each repeat",
        ),
        ("[patterns.sin]\npattern = 'a'\ntitle = { en = 'a', fr = 'b' }", "'sin' cannot name a pattern"),
        ("[allowd]", "`allowd` is not a setting; did you mean `allowed`?"),
    ],
)
def test_a_mistake_is_refused_with_its_place(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, content)

    assert problem in refused.value.message


def test_a_bad_file_leaves_the_policy_as_it_was(tmp_path: Path) -> None:
    policy = load(tmp_path, POLICY)
    before = policy.policy
    (tmp_path / FILE).write_text("[default]\nx = 1", encoding="utf-8")

    with pytest.raises(ConfigError):
        policy.load()

    assert before is policy.policy


def test_unknown_personalities_are_named(tmp_path: Path) -> None:
    (problem,) = load(tmp_path, POLICY).unknown_personalities(("whisper",))

    assert "there is no personality 'hr'" in problem
