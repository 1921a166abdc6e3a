"""A proxy in front of the local AWS that makes each call wait, as AWS would: a process of its own.

    python -m photos_dev.benches.slow_proxy http://127.0.0.1:4566 '{"GET": 67, "PUT": 65, "UpdateItem": 6}'

It prints the port that it listens to, on 127.0.0.1 only. A call is named by DynamoDB's and SQS's operation, of S3 by the
method; one without a delay is passed on at once. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
from urllib.parse import urlsplit

END = b"\r\n\r\n"
# Longest head, and the part of a body that is passed on at a time.
LIMIT = 1 << 18

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    def __init__(self, endpoint: str, delays_ms: dict[str, float]) -> None:
        address = urlsplit(endpoint)
        self.host, self.port, self.delays_ms = address.hostname, address.port, delays_ms
        trusted = os.environ.get("AWS_CA_BUNDLE")
        self.tls = ssl.create_default_context(cafile=trusted) if address.scheme == "https" else None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes on the calls of one connection, by another one that lasts as long."""
        service = await asyncio.open_connection(self.host, self.port, limit=LIMIT, ssl=self.tls)
        try:
            while await self.pass_on((reader, writer), service):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # either side has closed its connection, or the proxy ends
        finally:
            writer.close()
            service[1].close()

    async def pass_on(self, client: Pipe, service: Pipe) -> bool:
        """One call. Gives whether the connections can be used for another one."""
        head = await client[0].readuntil(END)
        method, headers = parsed(head)
        service[1].write(head)
        await copy(client[0], service[1], int(headers.get("content-length", 0)))
        operation = headers.get("x-amz-target", "").rpartition(".")[2] or method
        await asyncio.sleep(self.delays_ms.get(operation, 0) / 1000)
        answer = await service[0].readuntil(END)
        _, answered = parsed(answer)
        client[1].write(answer)
        if method == "HEAD":
            pass  # only the head of an answer
        elif "chunked" in answered.get("transfer-encoding", ""):
            await copy_chunks(service[0], client[1])
        else:
            await copy(service[0], client[1], int(answered.get("content-length", 0)))
        await client[1].drain()
        return answered.get("connection", "").lower() != "close"


def parsed(head: bytes) -> tuple[str, dict[str, str]]:
    """The first word of a request, and the headers by their names in lower case."""
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return first.split(" ")[0], {name.lower(): value.strip() for name, _, value in pairs}


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int) -> None:
    while length > 0:
        part = await reader.read(min(length, LIMIT))
        if not part:
            raise asyncio.IncompleteReadError(b"", length)
        writer.write(part)
        await writer.drain()
        length -= len(part)


async def copy_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 9112, section 7.1, without trailers."""
    length = None
    while length != 0:
        line = await reader.readuntil(b"\r\n")
        length = int(line.split(b";")[0], 16)
        writer.write(line)
        await copy(reader, writer, length + 2)


async def main(endpoint: str, delays: str) -> None:
    os.nice(10)  # in AWS, the services take no time of the function's cores
    proxy = Proxy(endpoint, json.loads(delays))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=LIMIT)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
