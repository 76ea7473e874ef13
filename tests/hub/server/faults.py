"""Connections that break in the middle of a file, on demand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web


@dataclass
class _Cut:
    after: int
    remaining: float


class Faults:
    """What goes wrong at present: nothing, until a test asks for it."""

    def __init__(self) -> None:
        self._uploads: _Cut | None = None
        self._downloads: _Cut | None = None
        self.count = 0
        """Connections cut so far."""

    def cut_uploads(self, after: int, times: float = float("inf")) -> None:
        """Cut each of the next `times` file uploads that reach more than `after` bytes."""
        self._uploads = _Cut(after, times)

    def cut_downloads(self, after: int, times: float = float("inf")) -> None:
        """Cut each of the next `times` file downloads that reach more than `after` bytes."""
        self._downloads = _Cut(after, times)

    def clear(self) -> None:
        """Work again from now on."""
        self._uploads = self._downloads = None

    async def upload(self, request: web.Request) -> AsyncIterator[bytes]:
        """The body of an upload, as far as it arrives.

        Raises:
            ConnectionResetError: where it is cut.
        """
        received = 0
        async for chunk in request.content.iter_chunked(1 << 16):
            received += len(chunk)
            if self._hits(self._uploads, received):
                assert request.transport is not None
                request.transport.abort()
                raise ConnectionResetError(f"cut after {received} bytes")
            yield chunk

    def download_limit(self, size: int) -> int | None:
        """After how many bytes the answer that now begins is to be cut; None to send all of its `size`."""
        return self._downloads.after if self._downloads and self._hits(self._downloads, size) else None

    def _hits(self, cut: _Cut | None, size: int) -> bool:
        if cut is None or size <= cut.after or cut.remaining <= 0:
            return False
        cut.remaining -= 1
        self.count += 1
        return True
