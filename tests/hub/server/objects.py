"""File contents under their SHA-256, as in LFS: a half-received upload never gets a name."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from .errors import HubError


@dataclass(frozen=True)
class StoredFile:
    """One file of a commit.

    Attributes:
        size: bytes of the content.
        sha256: of the content; its name in the store.
        git_oid: git's blob id: of the content, or for an LFS file of its pointer.
        is_lfs: whether git holds only a pointer to the content.
    """

    size: int
    sha256: str
    git_oid: str
    is_lfs: bool

    @property
    def etag(self) -> str:
        """What the client compares with its cache, and with a local file before it uploads."""
        return self.sha256 if self.is_lfs else self.git_oid

    @property
    def lfs_info(self) -> dict[str, int | str]:
        return {
            "oid": self.sha256,
            "size": self.size,
            "pointerSize": len(_lfs_pointer(self.sha256, self.size)),
        }


class ObjectStore:
    """A folder of contents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        return self._folder / sha256

    def __contains__(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def size(self, sha256: str) -> int:
        return self.path(sha256).stat().st_size

    def add(self, content: bytes) -> StoredFile:
        """Store a regular file."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.path(sha256).write_bytes(content)
        return StoredFile(len(content), sha256, _git_blob_oid(content), is_lfs=False)

    async def receive(self, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        """Store an LFS upload once it is complete and has the promised checksum."""
        digest = hashlib.sha256()
        partial = self._folder / f".partial-{uuid.uuid4().hex}"
        try:
            with partial.open("wb") as file:
                async for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
            if digest.hexdigest() != sha256:
                raise HubError(400, "The content does not have the checksum it was announced with")
            partial.rename(self.path(sha256))
        finally:
            partial.unlink(missing_ok=True)

    def lfs_file(self, sha256: str) -> StoredFile:
        """The file that a commit makes of an uploaded content."""
        size = self.size(sha256)
        return StoredFile(size, sha256, _git_blob_oid(_lfs_pointer(sha256, size)), is_lfs=True)


def _git_blob_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _lfs_pointer(sha256: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
