"""Repositories, branches and tags, through huggingface_hub."""

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from .server import LocalHub

REPO = "maker/grasps"


def test_whoami_names_the_owner_of_the_token(api: HfApi) -> None:
    assert api.whoami()["name"] == "maker"


@pytest.mark.parametrize("repo_type", ["model", "dataset"])
def test_a_new_repository_has_one_commit_on_main(api: HfApi, repo_type: str) -> None:
    url = api.create_repo(REPO, repo_type=repo_type)
    assert (url.repo_id, url.repo_type) == (REPO, repo_type)
    info = api.repo_info(REPO, repo_type=repo_type)
    assert [sibling.rfilename for sibling in info.siblings] == [".gitattributes"]
    assert [commit.commit_id for commit in api.list_repo_commits(REPO, repo_type=repo_type)] == [info.sha]


def test_creating_twice_is_an_error_unless_allowed(api: HfApi) -> None:
    api.create_repo(REPO)
    assert api.create_repo(REPO, exist_ok=True).repo_id == REPO
    with pytest.raises(HfHubHTTPError, match="already created"):
        api.create_repo(REPO)


def test_a_model_and_a_dataset_may_share_a_name(api: HfApi) -> None:
    api.create_repo(REPO, repo_type="model")
    api.create_repo(REPO, repo_type="dataset")
    api.delete_repo(REPO, repo_type="model")
    assert api.repo_exists(REPO, repo_type="dataset")
    assert not api.repo_exists(REPO, repo_type="model")


def test_branches_hold_their_own_files(api: HfApi) -> None:
    api.create_repo(REPO, repo_type="dataset")
    api.create_branch(REPO, branch="feature/x", repo_type="dataset")
    api.upload_file(
        path_or_fileobj=b"1", path_in_repo="a.txt", repo_id=REPO, repo_type="dataset", revision="feature/x"
    )
    assert api.file_exists(REPO, "a.txt", repo_type="dataset", revision="feature/x")
    assert not api.file_exists(REPO, "a.txt", repo_type="dataset")
    assert {branch.name for branch in api.list_repo_refs(REPO, repo_type="dataset").branches} == {
        "main",
        "feature/x",
    }
    api.delete_branch(REPO, branch="feature/x", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.repo_info(REPO, repo_type="dataset", revision="feature/x")


def test_a_tag_stays_at_its_commit_until_it_is_moved(api: HfApi, hub: LocalHub) -> None:
    api.create_repo(REPO, repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):  # LeRobot's push relies on exactly this
        api.delete_tag(REPO, tag="v3.0", repo_type="dataset")
    api.create_tag(REPO, tag="v3.0", repo_type="dataset")
    first = api.repo_info(REPO, repo_type="dataset").sha
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id=REPO, repo_type="dataset")
    assert api.repo_info(REPO, repo_type="dataset", revision="v3.0").sha == first
    with pytest.raises(HfHubHTTPError, match="exists already"):
        api.create_tag(REPO, tag="v3.0", repo_type="dataset")
    api.delete_tag(REPO, tag="v3.0", repo_type="dataset")
    api.create_tag(REPO, tag="v3.0", repo_type="dataset")
    assert hub.dataset(REPO).tags == {"v3.0": hub.dataset(REPO).head.oid}


def test_a_private_repository_looks_missing_to_others(api: HfApi, hub: LocalHub) -> None:
    api.create_repo(REPO, private=True)
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id=REPO)
    assert api.file_exists(REPO, "a.txt")
    for token in ("hf_theSecretOfTheStranger", False):
        with pytest.raises(RepositoryNotFoundError):
            HfApi(endpoint=hub.endpoint, token=token).repo_info(REPO)
    api.update_repo_settings(REPO, visibility="public")
    assert HfApi(endpoint=hub.endpoint, token=False).repo_info(REPO).id == REPO


def test_only_the_owner_writes(api: HfApi, hub: LocalHub) -> None:
    api.create_repo(REPO)
    stranger = HfApi(endpoint=hub.endpoint, token="hf_theSecretOfTheStranger")
    with pytest.raises(HfHubHTTPError, match="rights to write"):
        stranger.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id=REPO)
    with pytest.raises(HfHubHTTPError, match="namespace"):
        stranger.create_repo("maker/other")


def test_an_unknown_token_is_told_from_a_missing_repository(hub: LocalHub) -> None:
    with pytest.raises(HfHubHTTPError, match="Invalid credentials") as raised:
        HfApi(endpoint=hub.endpoint, token="hf_unknown").repo_info(REPO)
    assert not isinstance(raised.value, RepositoryNotFoundError)
