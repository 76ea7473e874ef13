"""Uploading: the client asks how to send each file, sends contents by LFS, and commits all in one request."""

import base64
import contextlib
import fnmatch
import json
from typing import Any

from aiohttp import web

from .errors import ENTRY_NOT_FOUND, HubError, revision_not_found
from .hub import Hub, hub_of, repository_of
from .repositories import Tree
from .repository_routes import LFS_PATTERNS

routes = web.RouteTableDef()
_REPO = "/api/{kind:models|datasets}/{owner}/{name}"
_DATASET_GIT = "/{kind:datasets}/{owner}/{name}.git/info/lfs"
_MODEL_GIT = "/{owner}/{name}.git/info/lfs"
_LARGEST_REGULAR_FILE = 10 << 20


@routes.post(_REPO + "/preupload/{revision}")
async def preupload(request: web.Request) -> web.Response:
    """Say per file how to send it, and what is at its path now: the client leaves equal files out."""
    body = await request.json()
    commit = repository_of(request, write=True).commit_at(request.match_info["revision"])
    answer = []
    for item in body["files"]:
        row = {
            "path": item["path"],
            "uploadMode": "lfs" if _is_large(item) else "regular",
            "shouldIgnore": False,
        }
        if item["path"] in commit.files:
            row["oid"] = commit.files[item["path"]].etag
        answer.append(row)
    return web.json_response({"files": answer})


def _is_large(item: dict[str, Any]) -> bool:
    name = item["path"].rpartition("/")[2]
    is_binary = b"\0" in base64.b64decode(item.get("sample") or "")
    by_name = any(fnmatch.fnmatch(name, pattern) for pattern in LFS_PATTERNS)
    return by_name or is_binary or item["size"] >= _LARGEST_REGULAR_FILE


@routes.post(_DATASET_GIT + "/objects/batch")
@routes.post(_MODEL_GIT + "/objects/batch")
async def lfs_batch(request: web.Request) -> web.Response:
    """Say where to put each content; none that is here already, which makes a second attempt cheap."""
    body = await request.json()
    hub, repository = hub_of(request), repository_of(request, write=True)
    base = f"{request.scheme}://{request.host}"
    objects = []
    for item in body["objects"]:
        row = {"oid": item["oid"], "size": item["size"]}
        if item["oid"] not in hub.objects:
            upload = {"href": f"{base}/lfs/{item['oid']}"}
            verify = {"href": f"{base}/{repository.path}.git/info/lfs/verify"}
            row["actions"] = {"upload": upload, "verify": verify}
        objects.append(row)
    return web.json_response(
        {"transfer": "basic", "objects": objects}, content_type="application/vnd.git-lfs+json"
    )


@routes.put("/lfs/{oid:[0-9a-f]{64}}")
async def lfs_put(request: web.Request) -> web.Response:
    """Receive a content; without a token, since on the Hub this is a signed address."""
    hub = hub_of(request)
    with contextlib.suppress(ConnectionResetError):  # nobody is left to answer to
        await hub.objects.receive(request.match_info["oid"], hub.faults.upload(request))
    return web.Response()


@routes.post(_DATASET_GIT + "/verify")
@routes.post(_MODEL_GIT + "/verify")
async def lfs_verify(request: web.Request) -> web.Response:
    body = await request.json()
    repository_of(request, write=True)
    objects = hub_of(request).objects
    if body["oid"] not in objects or objects.size(body["oid"]) != body["size"]:
        raise HubError(404, "The object is missing or of another size")
    return web.json_response({})


@routes.post(_REPO + "/commit/{revision}")
async def commit(request: web.Request) -> web.Response:
    """All operations or none."""
    lines = [json.loads(line) for line in (await request.read()).splitlines()]
    hub, repository = hub_of(request), repository_of(request, write=True)
    branch = request.match_info["revision"]
    if branch not in repository.branches:
        raise revision_not_found(branch)
    head = repository.commits[repository.branches[branch]]
    files, title = dict(head.files), ""
    for line in lines:
        if line["key"] == "header":
            title = line["value"]["summary"]
            if not head.oid.startswith(line["value"].get("parentCommit") or ""):
                raise HubError(412, "A commit has happened since. Please refresh and try again.")
        else:
            _apply(hub, files, line["key"], line["value"])
    oid = repository.add_commit(branch, files, title, hub.signed_in(request)).oid
    page = f"{request.scheme}://{request.host}/{repository.path}/commit/{oid}"
    return web.json_response(
        {"success": True, "commitOid": oid, "commitUrl": page, "hookOutput": "", "pullRequestUrl": None}
    )


def _apply(hub: Hub, files: Tree, operation: str, value: dict[str, Any]) -> None:
    path = value["path"]
    if operation == "file":
        files[path] = hub.objects.add(base64.b64decode(value["content"]))
    elif operation == "lfsFile":
        if value["oid"] not in hub.objects:
            raise HubError(400, f"LFS pointer pointed to a file that does not exist: {path}")
        files[path] = hub.objects.lfs_file(value["oid"])
    elif operation == "deletedFile":
        if path not in files:
            raise HubError(404, "A file with this name doesn't exist", ENTRY_NOT_FOUND)
        del files[path]
    elif operation == "deletedFolder":
        for name in [name for name in files if name.startswith(path.rstrip("/") + "/")]:
            del files[name]
    else:
        raise HubError(400, f"Unknown operation {operation}")
