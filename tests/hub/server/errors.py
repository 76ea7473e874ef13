"""Errors as the Hub sends them: the clients read the status and two headers, hardly ever the body."""

from typing import Any

from aiohttp import web

REPO_NOT_FOUND = "RepoNotFound"
REVISION_NOT_FOUND = "RevisionNotFound"
ENTRY_NOT_FOUND = "EntryNotFound"
BAD_TOKEN = "Invalid credentials in Authorization header"
"""The exact text by which the client tells a bad token from a repository that does not exist."""


class HubError(Exception):
    """An answer other than success.

    Args:
        status: HTTP status.
        message: for people, sent as `X-Error-Message` and in the body.
        code: for the client, sent as `X-Error-Code`.
        headers: further headers.
        body: further fields of the body.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": message, **(headers or {})}
        if code is not None:
            self.headers["X-Error-Code"] = code
        self.body = {"error": message, **body}

    def response(self) -> web.Response:
        return web.json_response(self.body, status=self.status, headers=self.headers)


def revision_not_found(revision: str) -> HubError:
    """LeRobot's push deletes a tag before it sets it, and forgives exactly this error."""
    return HubError(404, f"Invalid rev id: {revision}", REVISION_NOT_FOUND)
