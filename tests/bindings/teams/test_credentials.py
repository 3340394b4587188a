"""The bot's token: each kind of credential against a strict login, its renewal, and its refusal."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jwt
import pytest

from bindings.delivery.outlet import CredentialsRefused, Throttled, Unreachable
from bindings.selftest.microsoft_server import APP_ID, TENANT, FakeMicrosoft
from bindings.teams import transport
from bindings.teams.credentials import Credentials, parse_lifetime
from core.configuration import settings
from core.microsoft_login import thumbprint
from tests.bindings.teams.conftest import serve_adapter
from tests.support.app_certificates import write_certificate


def build(microsoft: FakeMicrosoft, clock: Any = None, **environ: str) -> Credentials:
    loaded = settings.load({**microsoft.environ, **environ})
    return Credentials(transport.build_client(), loaded.teams, *([clock] if clock else []))


async def test_a_certificate_gives_a_token(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The assertion is signed anew for each token, with the thumbprint of the certificate and a short life."""
    app = write_certificate(tmp_path / "app.pem")
    microsoft.certificates.append(app.certificate)
    credentials = build(microsoft, TEAMS_CERTIFICATE=str(app.file), TEAMS_APP_PASSWORD="")
    first = await credentials.token()
    credentials.forget(first)

    assert first != await credentials.token()
    assertion = microsoft.login_forms[0]["client_assertion"]
    assert thumbprint(app.certificate) == jwt.get_unverified_header(assertion)["x5t#S256"]
    claims = jwt.decode(assertion, options={"verify_signature": False})
    assert (APP_ID, APP_ID, 300) == (claims["iss"], claims["sub"], claims["exp"] - claims["nbf"])
    assert f"{microsoft.url}/{TENANT}/oauth2/v2.0/token" == claims["aud"]


async def test_a_replaced_certificate_is_read_again(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The operator replaces the file, and the next token comes by the new certificate, without a restart."""
    file = tmp_path / "app.pem"
    write_certificate(file)
    credentials = build(microsoft, TEAMS_CERTIFICATE=str(file), TEAMS_APP_PASSWORD="")
    with pytest.raises(CredentialsRefused, match="Upload the certificate"):
        await credentials.token()
    microsoft.certificates.append(write_certificate(file).certificate)

    assert await credentials.token()


async def test_a_federated_token_gives_a_token(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Kubernetes replaces the file within the hour, so each login reads it."""
    file = tmp_path / "token"
    file.write_text("first.federated.token\n")
    microsoft.federated_tokens = {"second.federated.token"}
    environ = {"TEAMS_CREDENTIAL": "federated", "AZURE_FEDERATED_TOKEN_FILE": str(file), "TEAMS_APP_PASSWORD": ""}
    credentials = build(microsoft, **environ)
    with pytest.raises(CredentialsRefused, match="AZURE_FEDERATED_TOKEN_FILE"):
        await credentials.token()
    file.write_text("second.federated.token\n")

    assert await credentials.token()
    file.unlink()
    credentials.forget(await credentials.token())
    with pytest.raises(CredentialsRefused, match="No such file"):
        await credentials.token()


async def test_a_managed_identity_of_an_app_service_gives_a_token(microsoft: FakeMicrosoft) -> None:
    """The resource is the scope without its suffix. The life is given as a time, and the token is renewed before."""
    now = [0.0]
    microsoft.identity_header = "key"
    environ = {"TEAMS_CREDENTIAL": "managed_identity", "IDENTITY_HEADER": "key", "TEAMS_APP_PASSWORD": ""}
    credentials = build(microsoft, lambda: now[0], IDENTITY_ENDPOINT=f"{microsoft.url}/msi/token", **environ)
    first = await credentials.token()
    now[0] = 3200.0
    assert first == await credentials.token()
    now[0] = 3302.0
    assert first != await credentials.token()


async def test_a_managed_identity_of_a_virtual_machine_gives_a_token(
    microsoft: FakeMicrosoft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without App Service's variables, the machine's own service is asked."""
    monkeypatch.setattr("core.microsoft_login.MACHINE_IDENTITY_URL", f"{microsoft.url}/msi/token")
    credentials = build(microsoft, TEAMS_CREDENTIAL="managed_identity", TEAMS_APP_PASSWORD="")

    assert await credentials.token()


async def test_a_managed_identity_that_is_not_assigned_is_refused(microsoft: FakeMicrosoft) -> None:
    """The error says what to assign."""
    environ = {"TEAMS_CREDENTIAL": "managed_identity", "IDENTITY_HEADER": "key", "TEAMS_APP_PASSWORD": ""}
    microsoft.identity_header = "another"
    credentials = build(microsoft, IDENTITY_ENDPOINT=f"{microsoft.url}/msi/token", **environ)
    with pytest.raises(CredentialsRefused, match="user-assigned managed identity"):
        await credentials.token()


@pytest.mark.parametrize(("status", "raised"), [(429, Throttled), (500, Unreachable), (503, Unreachable)])
async def test_a_busy_login_is_tried_again(microsoft: FakeMicrosoft, status: int, raised: type[Exception]) -> None:
    """The credential is not the problem."""
    microsoft.login_status = status
    with pytest.raises(raised):
        await build(microsoft).token()


async def test_a_token_is_renewed_before_it_expires(microsoft: FakeMicrosoft) -> None:
    """It is renewed five minutes before, or at half of a shorter lifetime. An AD FS gives tokens too."""
    now = [0.0]
    credentials = build(microsoft, lambda: now[0], TEAMS_LOGIN_URL=f"{microsoft.url}/adfs")
    first = await credentials.token()
    now[0] = 3299.0
    assert first == await credentials.token()
    now[0] = 3301.0
    second = await credentials.token()
    assert first != second

    microsoft.token_life_s = 100
    now[0] = 9000.0
    third = await credentials.token()
    now[0] = 9049.0
    assert third == await credentials.token()
    now[0] = 9051.0
    assert third != await credentials.token()


async def test_callers_share_one_login(microsoft: FakeMicrosoft) -> None:
    """Ten callers at once get the same token."""
    credentials = build(microsoft)
    tokens = await asyncio.gather(*(credentials.token() for _ in range(10)))

    assert (1, 1) == (len(set(tokens)), microsoft.token_fetches)


@pytest.mark.parametrize(
    ("fields", "lifetime_s"),
    [
        ({"expires_in": 60}, 60.0),
        ({"expires_in": "60"}, 60.0),
        ({"expires_on": "1060"}, 60.0),
        ({"expires_in": "soon", "expires_on": 1060}, 60.0),
        ({"expires_on": "7/30/2026 1:00:00 AM"}, 3600.0),
        ({"expires_in": -5}, 1.0),
        ({"expires_in": None}, 3600.0),
        ({}, 3600.0),
    ],
)
def test_the_life_of_a_token(fields: dict[str, Any], lifetime_s: float) -> None:
    """It is a number of seconds or a time, each as number or text; an hour if it is neither."""
    assert lifetime_s == parse_lifetime(fields, now=1000.0)


async def test_a_bot_without_a_secret_answers(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """It starts with a certificate alone, and its calls carry the token."""
    app = write_certificate(tmp_path / "app.pem")
    microsoft.certificates.append(app.certificate)
    async with serve_adapter(microsoft, tmp_path, TEAMS_CERTIFICATE=str(app.file), TEAMS_APP_PASSWORD="") as bot:
        await bot.send(bot.activity("installed"))
        (call,) = await microsoft.wait_for_calls(1)

    assert "connector-token-1" == call.token
