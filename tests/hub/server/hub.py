"""What the routes share: who is asking, for which repository, and what the hub holds."""

from dataclasses import dataclass, field

from aiohttp import web

from .errors import BAD_TOKEN, REPO_NOT_FOUND, HubError
from .faults import Faults
from .objects import ObjectStore
from .repositories import Kind, Repository


@dataclass(frozen=True)
class RequestRecord:
    """One line of the log."""

    method: str
    path: str
    status: int
    has_token: bool
    range: str | None

    @property
    def reads_only(self) -> bool:
        return self.method in ("GET", "HEAD")


@dataclass
class Hub:
    """The state of the server.

    Attributes:
        users: user names by token.
        objects: contents of files.
        repositories: by kind and id.
        faults: what goes wrong on purpose.
        requests: every request answered, in order.
        refused_hosts: hosts other than the Hub that a client tried to reach through the proxy.
    """

    users: dict[str, str]
    objects: ObjectStore
    repositories: dict[tuple[Kind, str], Repository] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    requests: list[RequestRecord] = field(default_factory=list)
    refused_hosts: list[str] = field(default_factory=list)

    def user(self, request: web.Request) -> str | None:
        """Who is asking; None for nobody in particular."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        name = self.users.get(header.removeprefix("Bearer ").strip())
        if name is None:
            raise HubError(401, BAD_TOKEN)
        return name

    def signed_in(self, request: web.Request) -> str:
        user = self.user(request)
        if user is None:
            raise HubError(401, "Invalid username or password.")
        return user

    def readable(self, request: web.Request, kind: Kind, repo_id: str) -> Repository:
        """The repository, which to a stranger looks missing when it is private."""
        user = self.user(request)
        repository = self.repositories.get((kind, repo_id))
        if repository is None or (repository.private and repository.owner != user):
            # The client reads "hidden or missing" from a bare 401 on https:// only, so send the code.
            raise HubError(401 if user is None else 404, "Repository not found", REPO_NOT_FOUND)
        return repository

    def writable(self, request: web.Request, kind: Kind, repo_id: str) -> Repository:
        repository = self.readable(request, kind, repo_id)
        if self.signed_in(request) != repository.owner:
            raise HubError(403, "You don't have the rights to write to this repository")
        return repository


HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)


def hub_of(request: web.Request) -> Hub:
    return request.app[HUB]


def repository_of(request: web.Request, write: bool = False) -> Repository:
    """The repository that the address names.

    Read the body first: between this and the change there must be no `await`, else another request's change
    is lost.
    """
    match = request.match_info
    kind: Kind = "dataset" if match.get("kind") == "datasets" else "model"
    hub = hub_of(request)
    find = hub.writable if write else hub.readable
    return find(request, kind, f"{match['owner']}/{match['name']}")


def flag(value: object) -> bool:
    """A boolean as the clients spell it in queries and forms."""
    return str(value).lower() in ("true", "1")
