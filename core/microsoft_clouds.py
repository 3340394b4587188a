"""Microsoft's clouds: where a bot gets its token, whose tokens it accepts, and which hosts it may call. Pure.

Sources: https://learn.microsoft.com/azure/bot-service/how-to-deploy-gov-cloud-high (GCC High and DoD),
https://docs.azure.cn/en-us/bot-service/how-to-deploy-china-cloud (China, operated by 21Vianet), for Graph
https://learn.microsoft.com/graph/deployments, and for the connectors
https://learn.microsoft.com/microsoftteams/platform/teams-sdk/essentials/app-configuration/service-url-validation
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from core.configuration.platform_sections import TeamsSettings
from core.configuration.setting_types import CloudName

# Under the connectors' domains are other services too, which are no connectors: login., token., tokengcch., api.
SERVICE_LABELS = ("login", "token", "api")


@dataclass(frozen=True, slots=True)
class MicrosoftCloud:
    """The addresses of one cloud. A domain begins with a dot, and stands for all hosts under it."""

    openid_metadata_url: str
    token_issuer: str
    login_url: str  # followed by the tenant
    oauth_scope: str
    graph_url: str
    connector_hosts: frozenset[str]
    connector_domain: str
    file_domain: str  # of SharePoint, which OneDrive for work is

    def is_connector(self, host: str) -> bool:
        if host in self.connector_hosts:
            return True
        labels = host.removesuffix(self.connector_domain).split(".")
        return host.endswith(self.connector_domain) and not any(each.startswith(SERVICE_LABELS) for each in labels)

    def has_files(self, host: str) -> bool:
        return host.endswith(self.file_domain)


GOVERNMENT_METADATA_URL = "https://login.botframework.azure.us/v1/.well-known/openidconfiguration"

CLOUDS: Mapping[CloudName, MicrosoftCloud] = MappingProxyType(
    {
        "public": MicrosoftCloud(
            openid_metadata_url="https://login.botframework.com/v1/.well-known/openidconfiguration",
            token_issuer="https://api.botframework.com",  # noqa: S106
            login_url="https://login.microsoftonline.com",
            oauth_scope="https://api.botframework.com",
            graph_url="https://graph.microsoft.com",
            # Anybody can register other names under trafficmanager.net. GCC (not High) belongs to this cloud.
            connector_hosts=frozenset(
                {
                    "smba.trafficmanager.net",
                    "smba.onyx.prod.teams.trafficmanager.net",
                    "smba.infra.gcc.teams.microsoft.com",
                }
            ),
            connector_domain=".botframework.com",
            file_domain=".sharepoint.com",
        ),
        "gcch": MicrosoftCloud(
            openid_metadata_url=GOVERNMENT_METADATA_URL,
            token_issuer="https://api.botframework.us",  # noqa: S106
            login_url="https://login.microsoftonline.us",
            oauth_scope="https://api.botframework.us",
            graph_url="https://graph.microsoft.us",
            connector_hosts=frozenset({"smba.infra.gov.teams.microsoft.us"}),
            connector_domain=".botframework.azure.us",
            file_domain=".sharepoint.us",
        ),
        "dod": MicrosoftCloud(
            openid_metadata_url=GOVERNMENT_METADATA_URL,
            token_issuer="https://api.botframework.us",  # noqa: S106
            login_url="https://login.microsoftonline.us",
            oauth_scope="https://api.botframework.us",
            graph_url="https://dod-graph.microsoft.us",
            connector_hosts=frozenset({"smba.infra.dod.teams.microsoft.us"}),
            connector_domain=".botframework.azure.us",
            file_domain=".sharepoint-mil.us",
        ),
        "china": MicrosoftCloud(
            openid_metadata_url="https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
            token_issuer="https://api.botframework.azure.cn",  # noqa: S106
            login_url="https://login.partner.microsoftonline.cn",
            oauth_scope="https://api.botframework.azure.cn",
            graph_url="https://microsoftgraph.chinacloudapi.cn",
            connector_hosts=frozenset({"frontend.botapi.msg.infra.teams.microsoftonline.cn"}),
            connector_domain=".botframework.azure.cn",
            file_domain=".sharepoint.cn",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class MicrosoftEndpoints:
    """The addresses that a bot uses: its cloud's, or those that the operator set instead."""

    openid_metadata_url: str
    token_issuer: str
    login_url: str
    oauth_scope: str
    graph_url: str


# The setting of each endpoint. Each has the name of its field in both classes.
OVERRIDES: Mapping[str, str] = MappingProxyType(
    {
        "openid_metadata_url": "TEAMS_OPENID_METADATA_URL",
        "token_issuer": "TEAMS_TOKEN_ISSUER",
        "login_url": "TEAMS_LOGIN_URL",
        "oauth_scope": "TEAMS_OAUTH_SCOPE",
        "graph_url": "TEAMS_GRAPH_URL",
    }
)


def choose_endpoints(settings: TeamsSettings) -> MicrosoftEndpoints:
    cloud = CLOUDS[settings.cloud]
    return MicrosoftEndpoints(**{field: getattr(settings, field) or getattr(cloud, field) for field in OVERRIDES})


@dataclass(frozen=True, slots=True)
class ForeignEndpoint:
    """A setting that has the address of other clouds than TEAMS_CLOUD names."""

    variable: str
    clouds: tuple[CloudName, ...]


def find_foreign_endpoints(settings: TeamsSettings) -> list[ForeignEndpoint]:
    """Returns the overrides of other clouds. A proxy or an AD FS belongs to no cloud, and is none of them."""
    found = []
    for field, variable in OVERRIDES.items():
        clouds = tuple(find_clouds(field, getattr(settings, field)))
        if clouds and settings.cloud not in clouds:
            found.append(ForeignEndpoint(variable, clouds))
    return found


def find_clouds(field: str, address: str | None) -> Iterator[CloudName]:
    """Yields the clouds whose endpoint `field` is on the same host."""
    host = url_host(address or "")
    for name, cloud in CLOUDS.items():
        if host and host == url_host(getattr(cloud, field)):
            yield name


def trusted_clouds(settings: TeamsSettings) -> list[MicrosoftCloud]:
    """Returns TEAMS_CLOUD and the clouds of overrides: before TEAMS_CLOUD, a cloud was chosen by overrides alone."""
    names = {settings.cloud, *(name for each in find_foreign_endpoints(settings) for name in each.clouds)}
    return [cloud for name, cloud in CLOUDS.items() if name in names]


def url_host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
