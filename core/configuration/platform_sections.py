"""The sections of settings.toml for the chat platforms. Fields are described as in `setting_sections`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import AfterValidator

from core.configuration.setting_types import (
    CloudName,
    CommaList,
    CredentialKind,
    DirectThreads,
    Host,
    OptionalCredential,
    OptionalPath,
    OptionalSecret,
    OptionalStr,
    OptionalUrl,
    Pairs,
    ReplyMode,
    ReplyModes,
    env,
    shard_count,
    token,
    web_url,
)
from core.configuration.toml import Section


class PlatformSettings(Section):
    """The fields that each platform's section has. Ids are the platform's own."""

    host: str
    port: int
    personality: str | None
    personality_of: dict[str, str]
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    bots: tuple[str, ...]
    reply_in_threads: ReplyMode
    reply_in_threads_of: dict[str, ReplyMode]
    answer_without_mention: tuple[str, ...]

    @property
    @abstractmethod
    def missing(self) -> str | None:
        """The variable that is missing for the adapter to start."""

    @property
    @abstractmethod
    def is_configured(self) -> bool:
        """True if a setting is present that only this platform's bot needs."""


# The descriptions that the three platforms share.
PERSONALITY = (
    "The personality that answers. Empty: the first personality in the language of the conversation's first message."
)
PERSONALITY_OF = (
    "The personality for each channel or workspace, as id=personality separated by commas. A channel takes precedence"
    " over its workspace."
)
ALLOW = (
    "The ids of the workspaces, channels, users, roles and groups that are answered, separated by commas. The words"
    " `home`, `guests` and `external` name people of the own organisation, its guests, and people of other"
    " organisations. Empty: everybody but `external`."
)
DENY = "Who is never answered, written as for the previous setting. It takes precedence."
BOTS = "The ids of the bots and workflows that are answered if they mention the bot, separated by commas. Empty: none."
REPLY_IN_THREADS = (
    "Who gets an answer without a mention in a thread where the bot was asked. `all`: everybody. `asked`: the people"
    " who asked it there. `mentions`: nobody."
)
REPLY_IN_THREADS_OF = "The same for single channels, as id=mode separated by commas."
ANSWER_WITHOUT_MENTION = "The ids of the channels where every message is answered, separated by commas."


class SlackSettings(PlatformSettings):
    """The bot in Slack. With an app token it uses Socket Mode, else HTTP with the signing secret."""

    bot_token: Annotated[OptionalSecret, token(("xoxb-", "xoxe.xoxb-"), "a bot token")] = env(
        "SLACK_BOT_TOKEN", "The bot token of the Slack app.", "xoxb-0123456789"
    )
    app_token: Annotated[OptionalSecret, token(("xapp-",), "an app-level token")] = env(
        "SLACK_APP_TOKEN", "The app-level token for Socket Mode, which needs no public address.", "xapp-1-0123456789"
    )
    signing_secret: OptionalSecret = env(
        "SLACK_SIGNING_SECRET", "The signing secret for events over HTTP, if there is no app token.", "0123456789abcdef"
    )
    host: Host = env("SLACK_HOST", "The address for /slack/events, /healthz, /readyz and /metrics.", "127.0.0.1")
    port: int = env(
        "SLACK_PORT", "The TCP port for /slack/events, /healthz, /readyz and /metrics.", "3001", ge=0, le=65535
    )
    personality: OptionalStr = env("SLACK_PERSONALITY", PERSONALITY, "whisper")
    personality_of: Pairs = env("SLACK_PERSONALITIES", PERSONALITY_OF, "C0123=chuchotte, T0123=whisper")
    allow: CommaList = env("SLACK_ALLOW", ALLOW, "T0123, C0456")
    deny: CommaList = env("SLACK_DENY", DENY, "U0789")
    bots: CommaList = env("SLACK_BOTS", BOTS, "B0123, A0456")
    reply_in_threads: ReplyMode = env("SLACK_REPLY_IN_THREADS", REPLY_IN_THREADS, "all")
    reply_in_threads_of: ReplyModes = env("SLACK_REPLY_IN_THREADS_OF", REPLY_IN_THREADS_OF, "C0123=mentions")
    answer_without_mention: CommaList = env("SLACK_ANSWER_WITHOUT_MENTION", ANSWER_WITHOUT_MENTION, "C0123")
    direct_threads: DirectThreads = env(
        "SLACK_DIRECT_THREADS",
        "Whether each question in a direct conversation begins a thread, as in Slack’s Agent messaging experience:"
        " `on`, `off`, or `auto` for as soon as Slack shows that the app is an agent.",
        "on",
    )
    api_base_url: Annotated[str, web_url("https://slack.com/api/")] = env(
        "SLACK_API_BASE_URL", "The base URL of Slack's Web API, for a proxy.", "https://slack.com/api/"
    )

    @property
    def missing(self) -> str | None:
        if self.bot_token is None:
            return "SLACK_BOT_TOKEN"
        return None if self.app_token or self.signing_secret else "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET"

    @property
    def is_configured(self) -> bool:
        return any((self.bot_token, self.app_token, self.signing_secret))


class DiscordSettings(PlatformSettings):
    """The bot in Discord."""

    bot_token: OptionalSecret = env("DISCORD_BOT_TOKEN", "The bot token of the Discord application.", "MTIz.abc.def")
    message_content: bool = env(
        "DISCORD_MESSAGE_CONTENT",
        "True if Discord granted the privileged message-content intent. The bot then reads the other messages of a"
        " thread.",
        "true",
    )
    shards: Annotated[str, AfterValidator(shard_count)] = env(
        "DISCORD_SHARDS",
        "The number of connections to Discord. A bot in more than 2,500 servers needs several. `auto`: as many as"
        " Discord recommends.",
        "auto",
    )
    host: Host = env("DISCORD_HOST", "The address for /healthz, /readyz and /metrics.", "127.0.0.1")
    port: int = env("DISCORD_PORT", "The TCP port for /healthz, /readyz and /metrics.", "3002", ge=0, le=65535)
    personality: OptionalStr = env("DISCORD_PERSONALITY", PERSONALITY, "whisper")
    personality_of: Pairs = env(
        "DISCORD_PERSONALITIES", PERSONALITY_OF, "112233445566778899=chuchotte, 998877665544332211=whisper"
    )
    allow: CommaList = env("DISCORD_ALLOW", ALLOW, "112233445566778899")
    deny: CommaList = env("DISCORD_DENY", DENY, "998877665544332211")
    bots: CommaList = env("DISCORD_BOTS", BOTS, "112233445566778899")
    reply_in_threads: ReplyMode = env("DISCORD_REPLY_IN_THREADS", REPLY_IN_THREADS, "all")
    reply_in_threads_of: ReplyModes = env(
        "DISCORD_REPLY_IN_THREADS_OF", REPLY_IN_THREADS_OF, "223344556677889900=mentions"
    )
    answer_without_mention: CommaList = env(
        "DISCORD_ANSWER_WITHOUT_MENTION", ANSWER_WITHOUT_MENTION, "223344556677889900"
    )
    api_base_url: OptionalUrl = env(
        "DISCORD_API_BASE_URL",
        "The base URL of Discord's API, for a proxy. Empty: Discord's own.",
        "https://proxy.example.org/api",
    )
    gateway_url: OptionalStr = env(
        "DISCORD_GATEWAY_URL",
        "The URL of Discord's gateway, for a proxy. Empty: Discord's own.",
        "wss://proxy.example.org/gateway",
    )

    @property
    def missing(self) -> str | None:
        return None if self.is_configured else "DISCORD_BOT_TOKEN"

    @property
    def is_configured(self) -> bool:
        return self.bot_token is not None


class TeamsSettings(PlatformSettings):
    """The bot in Microsoft Teams."""

    app_id: OptionalStr = env(
        "TEAMS_APP_ID", "The application id of the bot's registration.", "00000000-0000-0000-0000-000000000000"
    )
    app_password: OptionalSecret = env("TEAMS_APP_PASSWORD", "The client secret of the bot's registration.", "abc~0123")
    tenant_id: OptionalStr = env(
        "TEAMS_TENANT_ID", "The id of the tenant that the bot is registered in.", "00000000-0000-0000-0000-000000000000"
    )
    host: Host = env("TEAMS_HOST", "The address for /api/messages, /healthz, /readyz and /metrics.", "127.0.0.1")
    port: int = env(
        "TEAMS_PORT", "The TCP port for /api/messages, /healthz, /readyz and /metrics.", "3978", ge=0, le=65535
    )
    credential: OptionalCredential = env(
        "TEAMS_CREDENTIAL",
        "The proof by which the bot gets its tokens: `secret` (TEAMS_APP_PASSWORD), `certificate` (TEAMS_CERTIFICATE),"
        " `managed_identity` (of Azure) or `federated` (AZURE_FEDERATED_TOKEN_FILE). Empty: the certificate if there is"
        " one, else the secret.",
        "managed_identity",
    )
    certificate: OptionalPath = env(
        "TEAMS_CERTIFICATE",
        "The path of a PEM file with the certificate of the bot's registration and its private key, without a"
        " password.",
        "/etc/csps-llm/teams.pem",
    )
    federated_token_file: OptionalPath = env(
        "AZURE_FEDERATED_TOKEN_FILE",
        "The path of a file with a token of another identity provider. Azure's workload identity sets it.",
        "/var/run/secrets/azure/tokens/azure-identity-token",
    )
    identity_endpoint: OptionalUrl = env(
        "IDENTITY_ENDPOINT",
        "The URL at which a managed identity gets its tokens. Azure App Service sets it. Empty: the virtual machine's.",
        "http://127.0.0.1:41000/msi/token",
    )
    identity_header: OptionalSecret = env(
        "IDENTITY_HEADER", "The key for IDENTITY_ENDPOINT. Azure App Service sets it.", "853b9a84"
    )
    personality: OptionalStr = env("TEAMS_PERSONALITY", PERSONALITY, "whisper")
    personality_of: Pairs = env("TEAMS_PERSONALITIES", PERSONALITY_OF, "19:abc@thread.tacv2=chuchotte")
    allow: CommaList = env("TEAMS_ALLOW", ALLOW, "19:abc@thread.tacv2")
    deny: CommaList = env("TEAMS_DENY", DENY, "29:abc")
    bots: CommaList = env("TEAMS_BOTS", BOTS, "28:0123")
    reply_in_threads: ReplyMode = env("TEAMS_REPLY_IN_THREADS", REPLY_IN_THREADS, "all")
    reply_in_threads_of: ReplyModes = env(
        "TEAMS_REPLY_IN_THREADS_OF", REPLY_IN_THREADS_OF, "19:abc@thread.tacv2=mentions"
    )
    answer_without_mention: CommaList = env(
        "TEAMS_ANSWER_WITHOUT_MENTION", ANSWER_WITHOUT_MENTION, "19:abc@thread.tacv2"
    )
    cloud: CloudName = env(
        "TEAMS_CLOUD",
        "The cloud of Microsoft in which the tenant is: `public` (also GCC), `gcch` (GCC High), `dod` or `china`"
        " (21Vianet).",
        "gcch",
    )
    openid_metadata_url: OptionalUrl = env(
        "TEAMS_OPENID_METADATA_URL",
        "The URL of the OpenID metadata. Empty: that of TEAMS_CLOUD.",
        "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
    )
    token_issuer: OptionalStr = env(
        "TEAMS_TOKEN_ISSUER",
        "The issuer of the tokens in incoming requests. Empty: that of TEAMS_CLOUD.",
        "https://api.botframework.us",
    )
    login_url: OptionalUrl = env(
        "TEAMS_LOGIN_URL",
        "The URL at which the bot gets its tokens, for an AD FS. Empty: that of TEAMS_CLOUD.",
        "https://login.microsoftonline.us",
    )
    oauth_scope: OptionalStr = env(
        "TEAMS_OAUTH_SCOPE",
        "The scope of the bot's tokens. Empty: that of TEAMS_CLOUD.",
        "https://api.botframework.us",
    )
    graph: bool = env(
        "TEAMS_GRAPH",
        "True to read threads, and files of channels and group chats, from Microsoft Graph. Needs permissions:"
        " see docs/teams.md.",
        "true",
    )
    graph_url: OptionalUrl = env(
        "TEAMS_GRAPH_URL",
        "The URL of Microsoft Graph, for a proxy. Empty: that of TEAMS_CLOUD.",
        "https://graph.microsoft.us",
    )
    allow_unauthenticated: bool = env(
        "TEAMS_ALLOW_UNAUTHENTICATED",
        "True to accept requests without a token, for Microsoft's playground. Refused unless TEAMS_HOST is loopback.",
        "true",
    )

    @property
    def credential_kind(self) -> CredentialKind:
        return self.credential or ("certificate" if self.certificate else "secret")

    @property
    def missing(self) -> str | None:
        if self.allow_unauthenticated:
            return None
        credentials: dict[CredentialKind, dict[str, object]] = {
            "secret": {"TEAMS_APP_PASSWORD": self.app_password},
            "certificate": {"TEAMS_CERTIFICATE": self.certificate},
            "federated": {"AZURE_FEDERATED_TOKEN_FILE": self.federated_token_file},
            "managed_identity": {},
        }
        needed = {"TEAMS_APP_ID": self.app_id, **credentials[self.credential_kind], "TEAMS_TENANT_ID": self.tenant_id}
        return next((variable for variable, value in needed.items() if value is None), None)

    @property
    def surplus_credential(self) -> str | None:
        """The variable of a credential that is set beside the one in use.

        Azure itself sets those of federated tokens and of managed identities, so they are never surplus.
        """
        if self.app_password and self.credential_kind != "secret":
            return "TEAMS_APP_PASSWORD"
        return "TEAMS_CERTIFICATE" if self.certificate and self.credential_kind != "certificate" else None

    @property
    def is_configured(self) -> bool:
        return any((self.app_id, self.app_password, self.certificate, self.allow_unauthenticated))
