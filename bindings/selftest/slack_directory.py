"""The people, channels and user groups of the stand-in for Slack."""

from __future__ import annotations

from typing import Any

from bindings.selftest.changes import Changes


class FakeSlackDirectory(Changes):
    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, dict[str, Any]] = {}
        self.channels: dict[str, dict[str, Any]] = {}
        self.user_groups: dict[str, dict[str, Any]] = {}  # with their members, in `users`

    def users_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(arguments["user"])
        return {"ok": True, "user": user} if user else error_body("user_not_found")

    def conversations_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self.channels.get(arguments["channel"])
        return {"ok": True, "channel": channel} if channel else error_body("channel_not_found")

    def usergroups_list(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "usergroups": list(self.user_groups.values())}

    def usergroups_users_list(self, arguments: dict[str, Any]) -> dict[str, Any]:
        group = self.user_groups.get(arguments["usergroup"])
        return {"ok": True, "users": group["users"]} if group else error_body("no_such_subteam")


def error_body(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}
