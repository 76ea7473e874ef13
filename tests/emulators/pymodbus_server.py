"""pymodbus' Modbus TCP server on a free port of this computer, in a thread."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def serving(device: Any) -> Iterator[tuple[str, int]]:
    from pymodbus.server import ModbusTcpServer

    with socket.create_server(("127.0.0.1", 0)) as probe:
        host, port = probe.getsockname()
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = ModbusTcpServer(device, address=(host, port))
        await server.serve_forever(background=True)
        ready.set()
        await stop.wait()
        await server.shutdown()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10.0)
    try:
        yield host, port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
