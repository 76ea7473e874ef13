"""Listing and downloading files."""

import hashlib
from pathlib import Path
from typing import Any

from aiohttp import web

from .errors import ENTRY_NOT_FOUND, HubError
from .hub import flag, hub_of, repository_of
from .objects import StoredFile
from .repositories import Commit

routes = web.RouteTableDef()
ETAG: web.ResponseKey[str] = web.ResponseKey("etag", str)
"""Put into the headers at the last moment: `FileResponse` writes an ETag of its own."""
_REPO = "/api/{kind:models|datasets}/{owner}/{name}"


@routes.get(_REPO + "/tree/{revision}")
@routes.get(_REPO + "/tree/{revision}/{path:.+}")
async def list_tree(request: web.Request) -> web.Response:
    commit = repository_of(request).commit_at(request.match_info["revision"])
    folder = request.match_info.get("path", "").strip("/")
    entries = list(commit.listing(folder, flag(request.query.get("recursive"))))
    if folder and not entries:
        raise HubError(404, f"{folder} does not exist at {commit.oid}", ENTRY_NOT_FOUND)
    expand = flag(request.query.get("expand"))
    return web.json_response([_entry(path, file, commit, expand) for path, file in entries])


@routes.post(_REPO + "/paths-info/{revision}")
async def describe_paths(request: web.Request) -> web.Response:
    form = await request.post()
    commit = repository_of(request).commit_at(request.match_info["revision"])
    expand = flag(form.get("expand"))
    entries = dict(commit.listing("", recursive=True))
    paths = [str(path).strip("/") for path in form.getall("paths", [])]
    return web.json_response(
        [_entry(path, entries[path], commit, expand) for path in paths if path in entries]
    )


def _entry(path: str, file: StoredFile | None, commit: Commit, expand: bool) -> dict[str, Any]:
    entry: dict[str, Any]
    if file is None:
        oid = hashlib.sha1(f"{commit.oid}/{path}".encode()).hexdigest()
        entry = {"type": "directory", "path": path, "oid": oid, "size": 0}
    else:
        entry = {"type": "file", "path": path, "oid": file.git_oid, "size": file.size}
        if file.is_lfs:
            entry["lfs"] = file.lfs_info
    if expand:
        entry["lastCommit"] = {"id": commit.oid, "title": commit.title, "date": commit.date}
    return entry


@routes.get("/{kind:datasets}/{owner}/{name}/resolve/{revision}/{path:.+}")
@routes.get("/{owner}/{name}/resolve/{revision}/{path:.+}")
async def resolve(request: web.Request) -> web.StreamResponse:
    """Answer HEAD and GET of a file; `FileResponse` knows ranges."""
    hub = hub_of(request)
    commit = repository_of(request).commit_at(request.match_info["revision"])
    file = commit.file(request.match_info["path"])
    headers = {
        "X-Repo-Commit": commit.oid,
        "Content-Type": "application/octet-stream",
        "Accept-Ranges": "bytes",
    }
    if file.is_lfs:
        headers |= {"X-Linked-Etag": f'"{file.etag}"', "X-Linked-Size": str(file.size)}
    path = hub.objects.path(file.sha256)
    if request.method == "GET":
        start = request.http_range.start or 0
        limit = hub.faults.download_limit(file.size - start)
        if limit is not None:
            return await _send_part(request, path, start, limit, headers | {"ETag": f'"{file.etag}"'})
    response = web.FileResponse(path, headers=headers)
    response[ETAG] = f'"{file.etag}"'
    return response


async def _send_part(
    request: web.Request, path: Path, start: int, limit: int, headers: dict[str, str]
) -> web.StreamResponse:
    """Promise the whole rest of the file, send `limit` bytes of it, and hang up."""
    content = path.read_bytes()
    headers |= {"Content-Length": str(len(content) - start)}
    if start:
        headers |= {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
    response = web.StreamResponse(status=206 if start else 200, headers=headers)
    await response.prepare(request)
    await response.write(content[start : start + limit])
    assert request.transport is not None
    request.transport.close()  # unlike abort(), sends what was written first
    return response
