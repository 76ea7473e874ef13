"""Repositories: branches and tags that point to commits, each commit a whole tree of files."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from .errors import ENTRY_NOT_FOUND, HubError, revision_not_found
from .objects import StoredFile

Kind = Literal["model", "dataset"]
Tree = dict[str, StoredFile]


def now() -> str:
    """The time as the Hub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(frozen=True)
class Commit:
    """One state of a repository; `files` maps paths from its root to files."""

    oid: str
    parent: str | None
    title: str
    author: str
    date: str
    files: Tree

    def file(self, path: str) -> StoredFile:
        if path not in self.files:
            # With the commit in the headers the client remembers that the file does not exist.
            raise HubError(404, "Entry not found", ENTRY_NOT_FOUND, {"X-Repo-Commit": self.oid})
        return self.files[path]

    def listing(self, folder: str, recursive: bool) -> Iterator[tuple[str, StoredFile | None]]:
        """Paths below a folder ("" for the root) in order; None marks folders."""
        prefix = f"{folder}/" if folder else ""
        found: dict[str, StoredFile | None] = {}
        for path, file in self.files.items():
            if not path.startswith(prefix):
                continue
            parts = path.removeprefix(prefix).split("/")
            depth = len(parts) if recursive else 1
            for level in range(1, min(depth, len(parts) - 1) + 1):
                found[prefix + "/".join(parts[:level])] = None
            if depth == len(parts):
                found[path] = file
        yield from sorted(found.items())


@dataclass
class Repository:
    """A model or dataset repository, with `main` and its first commit from the start."""

    kind: Kind
    repo_id: str
    private: bool
    created: str = field(default_factory=now)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return self.repo_id.partition("/")[0]

    @property
    def path(self) -> str:
        """Where its pages are: models at the root, datasets under /datasets."""
        return self.repo_id if self.kind == "model" else f"{self.kind}s/{self.repo_id}"

    @property
    def head(self) -> Commit:
        return self.commits[self.branches["main"]]

    def add_commit(self, branch: str, files: Tree, title: str, author: str) -> Commit:
        parent = self.branches.get(branch)
        oid = hashlib.sha1(f"{self.path} {len(self.commits)} {parent} {title}".encode()).hexdigest()
        commit = Commit(oid, parent, title, author, now(), files)
        self.commits[oid] = commit
        self.branches[branch] = oid
        return commit

    def commit_at(self, revision: str) -> Commit:
        """Find a commit by branch, tag, or at least seven characters of its id.

        Raises:
            HubError: 404, if there is none.
        """
        for refs, prefix in ((self.branches, "refs/heads/"), (self.tags, "refs/tags/")):
            for name in (revision, revision.removeprefix(prefix)):
                if name in refs:
                    return self.commits[refs[name]]
        if len(revision) >= 7:
            for oid, commit in self.commits.items():
                if oid.startswith(revision):
                    return commit
        raise revision_not_found(revision)

    def history(self, commit: Commit) -> Iterator[Commit]:
        """The commit and all before it."""
        yield commit
        while commit.parent is not None:
            commit = self.commits[commit.parent]
            yield commit
