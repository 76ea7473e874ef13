"""The server: the application, the thread it runs in, and the environment that sends a client to it."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from aiohttp import web

from . import account_routes, reading_routes, repository_routes, writing_routes
from .errors import HubError
from .faults import Faults
from .hub import HUB, Hub, RequestRecord
from .objects import ObjectStore
from .proxy import HttpsProxy
from .repositories import Repository

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LocalHub:
    """A Hub on a free port of this machine, for the time of a `with` block.

    Args:
        folder: where file contents and the certificate are kept.
        users: user names by token.
    """

    def __init__(self, folder: Path, users: dict[str, str]) -> None:
        self._hub = Hub(users, ObjectStore(folder / "objects"))
        self._certificate = folder / "certificate_authority.pem"
        self._proxy = HttpsProxy(self._hub, self._certificate)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.endpoint = ""
        self.proxy = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._loop is None:
            raise RuntimeError("The local Hub did not start; its thread's traceback says why.")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def faults(self) -> Faults:
        return self._hub.faults

    @property
    def requests(self) -> list[RequestRecord]:
        return self._hub.requests

    @property
    def refused_hosts(self) -> list[str]:
        return self._hub.refused_hosts

    @property
    def repositories(self) -> list[Repository]:
        return list(self._hub.repositories.values())

    def dataset(self, repo_id: str) -> Repository:
        return self._hub.repositories["dataset", repo_id]

    def model(self, repo_id: str) -> Repository:
        return self._hub.repositories["model", repo_id]

    def read(self, repository: Repository, path: str, revision: str = "main") -> bytes:
        """The content of a file of a repository."""
        return self._hub.objects.path(repository.commit_at(revision).file(path).sha256).read_bytes()

    def proxy_variables(self) -> dict[str, str]:
        """What brings a client's call to https://huggingface.co here."""
        return {"HTTPS_PROXY": self.proxy, "SSL_CERT_FILE": str(self._certificate)}

    def client_environment(self, home: Path, token: str | None) -> dict[str, str]:
        """The environment of a client process with its caches below `home`; a new folder is an empty one."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HF_") and not name.upper().endswith("_PROXY")
        }
        client = {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",  # LFS instead, whose protocol is public
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            **self.proxy_variables(),
        }
        return {**inherited, **client, **({} if token is None else {"HF_TOKEN": token})}

    async def _run(self) -> None:
        try:
            runner = web.AppRunner(_application(self._hub), access_log=None, shutdown_timeout=1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            port = runner.addresses[0][1]
            self.endpoint = f"http://127.0.0.1:{port}"
            proxy = await self._proxy.start(port)
            self.proxy = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        finally:
            self._ready.set()
        await self._stop.wait()
        proxy.close()
        await runner.cleanup()


def _application(hub: Hub) -> web.Application:
    @web.middleware
    async def answer_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except HubError as error:
            return error.response()

    async def finish(request: web.Request, response: web.StreamResponse) -> None:
        if reading_routes.ETAG in response:
            response.headers["ETag"] = response[reading_routes.ETAG]
        hub.requests.append(
            RequestRecord(
                method=request.method,
                path=request.path_qs,
                status=response.status,
                has_token="Authorization" in request.headers,
                range=request.headers.get("Range"),
            )
        )

    # A commit carries every regular file, so bodies are large. Addresses are matched before they are decoded,
    # so `branch/a%2Fb` is one part.
    app = web.Application(middlewares=[answer_errors], client_max_size=1 << 30)
    app[HUB] = hub
    app.on_response_prepare.append(finish)
    for module in (account_routes, repository_routes, reading_routes, writing_routes):
        app.router.add_routes(module.routes)
    return app
