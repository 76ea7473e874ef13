"""Who the token belongs to, and whether a card's front matter is valid."""

import re

import yaml
from aiohttp import web

from .hub import hub_of

routes = web.RouteTableDef()

_FRONT_MATTER = re.compile(r"^---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_TEXTS = ("license", "library_name", "pipeline_tag", "model_name", "pretty_name")
_LISTS_OF_TEXTS = ("tags", "task_categories", "size_categories")


@routes.get("/api/whoami-v2")
async def whoami(request: web.Request) -> web.Response:
    name = hub_of(request).signed_in(request)
    token = {"displayName": "test", "role": "write"}
    account = {"type": "user", "id": name, "name": name, "fullname": name, "isPro": False, "orgs": []}
    return web.json_response({**account, "auth": {"type": "access_token", "accessToken": token}})


@routes.post("/api/validate-yaml")
async def validate_yaml(request: web.Request) -> web.Response:
    body = await request.json()
    errors = front_matter_errors(body["content"])
    answer = {"errors": [{"message": message} for message in errors], "warnings": []}
    return web.json_response(answer, status=400 if errors else 200)


def front_matter_errors(content: str) -> list[str]:
    """What is wrong with the YAML at the top of a README, by the Hub's rules that need no list of names."""
    match = _FRONT_MATTER.match(content)
    if match is None:
        return ["There is no YAML front matter between two lines of ---"]
    try:
        metadata = yaml.safe_load(match.group(1))
    except yaml.YAMLError as error:
        return [f"The front matter is not YAML: {error}"]
    if not isinstance(metadata, dict):
        return ["The front matter must be a mapping"]
    errors = [f'"{key}" must be a string' for key in _TEXTS if not isinstance(metadata.get(key, ""), str)]
    for key in _LISTS_OF_TEXTS:
        values = metadata.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            errors.append(f'"{key}" must be a list of strings')
    for model in metadata.get("model-index", []):
        if not {"name", "results"} <= model.keys():
            errors.append('every entry of "model-index" needs "name" and "results"')
        for result in model.get("results", []):
            missing = {"task", "dataset", "metrics"} - result.keys()
            errors += [f'a result of "model-index" lacks "{key}"' for key in sorted(missing)]
    return errors
