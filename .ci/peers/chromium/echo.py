"""An echo server by Python's websockets, on a free port that it prints."""

import asyncio

from websockets.asyncio.server import serve


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 0, max_size=None) as server:
        print("listening on %s:%s" % server.sockets[0].getsockname(), flush=True)
        await asyncio.Future()


asyncio.run(main())
