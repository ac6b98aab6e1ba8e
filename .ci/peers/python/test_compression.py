"""Compressed messages between Python's websockets and our echo server and client, with both takeovers and small windows."""

import asyncio
import itertools
import json
import os
import unittest

from test_client import EchoClient
from test_server import EchoServer
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

FLAGS = ("--compress", "--compress=takeover")
# No context takeover of the server and of the client, and the windows of both.
PARAMETERS = tuple(itertools.product((False, True), (False, True), (None, 9, 15), (None, 9)))
MESSAGES = [
    *(json.dumps({"number": n, "text": "the quick brown fox " * (n % 40)}) for n in range(60)),
    *("x" * length for length in (0, 1, 127, 128, 511, 512, 16384, 65536)),
    os.urandom(3000).hex() * 3,
]


class Compression(unittest.IsolatedAsyncioTestCase):
    async def test_messages_come_back_from_our_server(self):
        for flag in FLAGS:
            with EchoServer("run", flag) as server:
                for alone, alone_too, window, other_window in PARAMETERS:
                    with self.subTest(flag=flag, parameters=(alone, alone_too, window, other_window)):
                        offer = ClientPerMessageDeflateFactory(alone, alone_too, window, other_window or True)
                        async with connect(server.url, extensions=[offer], compression=None) as ws:
                            self.assertEqual(len(ws.protocol.extensions), 1)
                            await self.come_back(ws)

    async def come_back(self, ws):
        for message in MESSAGES:
            await ws.send(message)
            self.assertEqual(await asyncio.wait_for(ws.recv(), 10), message)
        await ws.send(os.urandom(2000))
        self.assertEqual(len(await ws.recv()), 2000)

    async def test_lines_come_back_to_our_client(self):
        async def echo(ws):
            self.assertEqual(len(ws.protocol.extensions), 1)
            async for message in ws:
                await ws.send(message)

        for flag, parameters in itertools.product(FLAGS, PARAMETERS):
            with self.subTest(flag=flag, parameters=parameters):
                accept = ServerPerMessageDeflateFactory(*parameters)
                async with serve(echo, "127.0.0.1", 0, extensions=[accept], compression=None) as server:
                    async with await EchoClient.start(server, flag) as client:
                        for line in MESSAGES[:20] + MESSAGES[-1:]:
                            self.assertEqual(await client.ask(line), line)
                        client.process.stdin.close()
                        self.assertEqual(await client.end(), (0, ""))
