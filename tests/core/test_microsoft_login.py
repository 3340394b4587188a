"""The credentials of a bot in Teams: exactly one, with files that can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import microsoft_login
from core.configuration import settings
from core.configuration.platform_sections import TeamsSettings
from core.errors import ConfigError
from tests.support.app_certificates import write_certificate

BASE = {"TEAMS_APP_ID": "app", "TEAMS_TENANT_ID": "t"}


def teams(**environ: str) -> TeamsSettings:
    return settings.load({**BASE, **environ}).teams


@pytest.mark.parametrize(
    ("login_url", "authority", "token_url", "discovery_url"),
    [
        (
            "",
            "https://login.microsoftonline.com/t",
            "https://login.microsoftonline.com/t/oauth2/v2.0/token",
            None,
        ),
        (
            "https://login.microsoftonline.us/",
            "https://login.microsoftonline.us/t",
            "https://login.microsoftonline.us/t/oauth2/v2.0/token",
            None,
        ),
        (
            "https://login.example/other/",
            "https://login.example/other",
            "https://login.example/other/oauth2/v2.0/token",
            None,
        ),
        (
            "https://sts.example/adfs",
            "https://sts.example/adfs",
            "https://sts.example/adfs/oauth2/v2.0/token",
            "https://sts.example/adfs/.well-known/openid-configuration",
        ),
    ],
)
def test_login_urls_of_a_tenants_bot(login_url: str, authority: str, token_url: str, discovery_url: str | None) -> None:
    """Logins go to the public cloud, a government cloud, another tenant, or an AD FS with a discovery document."""
    found = microsoft_login.build_authority(teams(TEAMS_LOGIN_URL=login_url))

    assert authority == found
    assert token_url == microsoft_login.build_token_url(found)
    assert discovery_url == microsoft_login.discovery_url(found)


@pytest.mark.parametrize("scope", ["", "https://api.botframework.com", "https://api.botframework.com/.default"])
def test_a_scope_ends_in_default(scope: str) -> None:
    """This holds with and without the suffix in the setting."""
    assert "https://api.botframework.com/.default" == microsoft_login.build_scope(teams(TEAMS_OAUTH_SCOPE=scope))


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({}, "TEAMS_APP_PASSWORD is not set"),
        ({"TEAMS_CREDENTIAL": "certificate"}, "TEAMS_CERTIFICATE is not set"),
        ({"TEAMS_CREDENTIAL": "federated"}, "AZURE_FEDERATED_TOKEN_FILE is not set"),
        ({"TEAMS_CREDENTIAL": "managed_identity", "TEAMS_APP_PASSWORD": "x"}, "TEAMS_APP_PASSWORD is set, but"),
        ({"TEAMS_APP_PASSWORD": "x", "TEAMS_CERTIFICATE": "/x.pem"}, "TEAMS_APP_PASSWORD is set, but"),
        (
            {"TEAMS_CREDENTIAL": "secret", "TEAMS_APP_PASSWORD": "x", "TEAMS_CERTIFICATE": "/x.pem"},
            "TEAMS_CERTIFICATE is set, but",
        ),
        ({"TEAMS_CERTIFICATE": "/absent/x.pem"}, "No such file"),
        (
            {"TEAMS_CREDENTIAL": "federated", "AZURE_FEDERATED_TOKEN_FILE": "/absent/token"},
            "AZURE_FEDERATED_TOKEN_FILE: /absent/token: No such file",
        ),
        ({"TEAMS_CREDENTIAL": "password", "TEAMS_APP_PASSWORD": "x"}, "TEAMS_CREDENTIAL"),
    ],
)
def test_anything_but_one_credential_is_refused(environ: dict[str, str], problem: str) -> None:
    """The error names the variable that is missing, or that is too many."""
    with pytest.raises(ConfigError, match=problem):
        microsoft_login.check_credential(teams(**environ))


def test_variables_that_azure_sets_are_no_second_credential() -> None:
    """App Service and Kubernetes set them for every program."""
    by_azure = {"AZURE_FEDERATED_TOKEN_FILE": "/token", "IDENTITY_ENDPOINT": "http://x/", "IDENTITY_HEADER": "h"}
    microsoft_login.check_credential(teams(TEAMS_APP_PASSWORD="x", **by_azure))


def test_files_without_a_usable_certificate_are_refused(tmp_path: Path) -> None:
    """The key may be missing, encrypted, or another's, and the file may hold anything."""
    first, second = write_certificate(tmp_path / "1.pem"), write_certificate(tmp_path / "2.pem")
    locked = write_certificate(tmp_path / "locked.pem", password=b"x")
    files = {
        "text": b"not PEM",
        "nothing": b"",
        "no key": first.certificate_pem,
        "no certificate": first.key_pem,
        "encrypted": locked.key_pem + locked.certificate_pem,
        "another's key": second.key_pem + first.certificate_pem,
    }
    for name, content in files.items():
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(ConfigError, match="TEAMS_CERTIFICATE"):
            microsoft_login.check_credential(teams(TEAMS_CERTIFICATE=str(file)))
    microsoft_login.check_credential(teams(TEAMS_CERTIFICATE=str(first.file)))


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"two\nlines"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    """The content does not appear in the error."""
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="does not hold a token"):
        microsoft_login.check_credential(teams(TEAMS_CREDENTIAL="federated", AZURE_FEDERATED_TOKEN_FILE=str(file)))
