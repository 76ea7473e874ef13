"""Making, describing and deleting repositories, branches and tags."""

from typing import Any

from aiohttp import web

from .errors import HubError, revision_not_found
from .hub import flag, hub_of, repository_of
from .objects import StoredFile
from .repositories import Commit, Kind, Repository

routes = web.RouteTableDef()
_REPO = "/api/{kind:models|datasets}/{owner}/{name}"

LFS_PATTERNS = (
    "*.parquet",
    "*.mp4",
    "*.safetensors",
    "*.bin",
    "*.pt",
    "*.npz",
    "*.npy",
    "*.zip",
    "*.png",
    "*.jpg",
)
"""Part of what the Hub writes into a new repository's `.gitattributes`."""
_GIT_ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LFS_PATTERNS)


@routes.post("/api/repos/create")
async def create(request: web.Request) -> web.Response:
    body = await request.json()
    hub = hub_of(request)
    user = hub.signed_in(request)
    owner = body.get("organization") or user
    if owner != user:
        raise HubError(403, f"You don't have the rights to create a repository under the namespace {owner!r}")
    kind: Kind = body.get("type") or "model"
    repository = Repository(kind, f"{owner}/{body['name']}", private=body.get("visibility") == "private")
    page = f"{request.scheme}://{request.host}/{repository.path}"
    if (kind, repository.repo_id) in hub.repositories:
        # The client reads the address from the refusal as well, when it may exist already.
        raise HubError(409, f"You already created this {kind} repo", url=page)
    repository.add_commit(
        "main", {".gitattributes": hub.objects.add(_GIT_ATTRIBUTES.encode())}, "initial commit", user
    )
    hub.repositories[kind, repository.repo_id] = repository
    named = dict.fromkeys(("name", "id"), repository.repo_id)
    return web.json_response({"url": page, **named, "private": repository.private})


@routes.delete("/api/repos/delete")
async def delete(request: web.Request) -> web.Response:
    body = await request.json()
    hub = hub_of(request)
    owner = body.get("organization") or hub.signed_in(request)
    repository = hub.writable(request, body.get("type") or "model", f"{owner}/{body['name']}")
    del hub.repositories[repository.kind, repository.repo_id]
    return web.json_response({})


@routes.put(_REPO + "/settings")
async def change_settings(request: web.Request) -> web.Response:
    body = await request.json()
    repository = repository_of(request, write=True)
    if "visibility" in body:
        repository.private = body["visibility"] == "private"
    return web.json_response({"private": repository.private})


@routes.get(_REPO)
@routes.get(_REPO + "/revision/{revision}")
async def describe(request: web.Request) -> web.Response:
    repository = repository_of(request)
    commit = repository.commit_at(request.match_info.get("revision", "main"))
    files = sorted(commit.files.items())
    with_sizes = flag(request.query.get("blobs"))
    body = {
        "_id": commit.oid[:24],
        "id": repository.repo_id,
        "author": repository.owner,
        "sha": commit.oid,
        "private": repository.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "createdAt": repository.created,
        "lastModified": commit.date,
        "siblings": [_sibling(path, file, with_sizes) for path, file in files],
    }
    if repository.kind == "model":
        body["modelId"] = repository.repo_id
    return web.json_response(body)


def _sibling(path: str, file: StoredFile, with_size: bool) -> dict[str, Any]:
    if not with_size:
        return {"rfilename": path}
    sibling: dict[str, Any] = {"rfilename": path, "size": file.size, "blobId": file.git_oid}
    if file.is_lfs:
        info = file.lfs_info
        sibling["lfs"] = {"sha256": info["oid"], "size": info["size"], "pointerSize": info["pointerSize"]}
    return sibling


@routes.get(_REPO + "/refs")
async def list_refs(request: web.Request) -> web.Response:
    repository = repository_of(request)

    def rows(refs: dict[str, str], folder: str) -> list[dict[str, str]]:
        return [
            {"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": oid} for name, oid in refs.items()
        ]

    branches, tags = rows(repository.branches, "heads"), rows(repository.tags, "tags")
    return web.json_response({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})


@routes.get(_REPO + "/commits/{revision}")
async def list_commits(request: web.Request) -> web.Response:
    repository = repository_of(request)
    commits = repository.history(repository.commit_at(request.match_info["revision"]))
    return web.json_response([_commit_row(commit) for commit in commits])


def _commit_row(commit: Commit) -> dict[str, Any]:
    authors = [{"user": commit.author}]
    return {"id": commit.oid, "title": commit.title, "message": "", "date": commit.date, "authors": authors}


@routes.post(_REPO + "/branch/{revision}")
async def create_branch(request: web.Request) -> web.Response:
    body = await request.json()
    repository, name = repository_of(request, write=True), request.match_info["revision"]
    if name in repository.branches:
        raise HubError(409, f"Reference already exists: refs/heads/{name}")
    repository.branches[name] = repository.commit_at(body.get("startingPoint") or "main").oid
    return web.json_response({})


@routes.post(_REPO + "/tag/{revision}")
async def create_tag(request: web.Request) -> web.Response:
    body = await request.json()
    repository = repository_of(request, write=True)
    if body["tag"] in repository.tags:
        raise HubError(409, f"Tag reference exists already: {body['tag']}")
    repository.tags[body["tag"]] = repository.commit_at(request.match_info["revision"]).oid
    return web.json_response({})


@routes.delete(_REPO + "/{refs:branch|tag}/{revision}")
async def delete_ref(request: web.Request) -> web.Response:
    repository, name = repository_of(request, write=True), request.match_info["revision"]
    refs = repository.tags if request.match_info["refs"] == "tag" else repository.branches
    if name not in refs:
        raise revision_not_found(name)
    del refs[name]
    return web.json_response({})
