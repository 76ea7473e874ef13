"""A proxy that answers for https://huggingface.co, and for nothing else.

Needed for one call: `RepoCard.validate()`, which LeRobot makes on every push, posts to that address whatever
`HF_ENDPOINT` says. Every other host is refused and noted, so this is also the proof that a client reached
nothing outside.
"""

import asyncio
import contextlib
import ssl
from pathlib import Path

import trustme

from .hub import Hub

_HOST = "huggingface.co"


class HttpsProxy:
    """Ends the TLS of huggingface.co and passes the plain bytes on to the hub's own port."""

    def __init__(self, hub: Hub, certificate: Path) -> None:
        self._hub = hub
        self._hub_port = 0
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(certificate))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(_HOST).configure_cert(self._tls)

    async def start(self, hub_port: int) -> asyncio.Server:
        self._hub_port = hub_port
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            method, target, *_ = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split()
            if (method, target) != ("CONNECT", f"{_HOST}:443"):
                self._hub.refused_hosts.append(target)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.drain()
                await writer.start_tls(self._tls)
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._hub_port)
                await asyncio.gather(_copy(reader, up_writer), _copy(up_reader, writer))
        writer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()
