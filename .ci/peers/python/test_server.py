"""The client of Python's websockets against our echo server, through both of its ways to receive, and behind axum."""

import asyncio
import os
import re
import signal
import subprocess
import unittest

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

# Each side of every border in the length field, and the default limit of one message.
LENGTHS = (0, 1, 125, 126, 65535, 65536, 1 << 20)
LARGE = 16 << 20


class EchoServer:
    """A running server: killed at the end of the block, unless it has ended by itself."""

    def __init__(self, api, *arguments):
        example, *flags = ["axum_server"] if api == "axum" else ["echo_server", "--api", api]
        command = [os.path.join(os.environ["EXAMPLES"], example), "127.0.0.1:0", *flags, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = self.process.stdout.readline()
        self.url = "ws://" + re.search(r"127\.0\.0\.1:[1-9]\d*", said)[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Laws:
    """What holds through either way to receive; `api` names it."""

    async def asyncSetUp(self):
        # Debug mode reports every callback that takes long, and 16 MiB take long in Python.
        asyncio.get_running_loop().set_debug(False)
        self.server = self.enterContext(EchoServer(self.api))

    def connect(self, **options):
        return connect(self.server.url, max_size=None, **options)

    async def test_text_and_binary_of_every_length_come_back(self):
        async with self.connect() as ws:
            for length in LENGTHS:
                await self.both_kinds_come_back(ws, length)

    async def test_sixteen_mebibytes_come_back_under_a_larger_limit(self):
        server = self.enterContext(EchoServer(self.api, "--max-message", str(LARGE)))
        async with connect(server.url, max_size=None) as ws:
            await self.both_kinds_come_back(ws, LARGE)

    async def both_kinds_come_back(self, ws, length):
        for message in ("é" * (length // 2) + "a" * (length % 2), os.urandom(length)):
            await ws.send(message)
            self.assertTrue(await ws.recv() == message, f"{type(message).__name__} of {length} bytes")

    async def test_fragments_come_back_as_one_message_and_pings_may_stand_between_them(self):
        pongs = []

        async def fragments():
            for piece in ("fr", "", "agé", "nts"):
                yield piece
                pongs.append(await ws.ping())

        async with self.connect() as ws:
            await ws.send(fragments())
            self.assertEqual(await ws.recv(), "fragénts")
            await asyncio.wait_for(asyncio.gather(*pongs), 5)

    async def test_a_ping_of_125_bytes_is_answered(self):
        async with self.connect() as ws:
            await asyncio.wait_for(await ws.ping(b"x" * 125), 5)

    async def test_a_burst_is_answered_whole_and_in_order(self):
        async with self.connect() as ws:
            sent = [str(n) for n in range(1000)]
            for message in sent:
                await ws.send(message)
            self.assertEqual([await ws.recv() for _ in sent], sent)

    async def test_our_close_code_comes_back_without_a_reason(self):
        for code in (1000, 1001, 3000, 4001):
            async with self.connect() as ws:
                await ws.close(code, "bye")
                self.assertEqual((ws.close_code, ws.close_reason), (code, ""))

    async def test_text_that_is_not_utf8_is_closed_with_1007(self):
        await self.closed_with(1007, b"\xc3\x28")

    async def test_a_message_over_the_limit_is_closed_with_1009(self):
        await self.closed_with(1009, b"a" * (LENGTHS[-1] + 1))

    async def closed_with(self, code, bytes_of_text):
        async with self.connect(compression=None) as ws:
            with self.assertRaises(ConnectionClosedError) as caught:
                await ws.send(bytes_of_text, text=True)
                await ws.recv()
            self.assertEqual(caught.exception.rcvd.code, code)

    async def test_an_interrupted_server_says_1001_and_ends(self):
        async with self.connect() as ws:
            await ws.send("open")
            await ws.recv()
            self.server.process.send_signal(signal.SIGINT)
            with self.assertRaises(ConnectionClosedOK) as caught:
                await asyncio.wait_for(ws.recv(), 5)
            self.assertEqual(caught.exception.rcvd.code, 1001)
        self.assertEqual(await asyncio.to_thread(self.server.process.wait, 10), 0)


class ThroughRun(Laws, unittest.IsolatedAsyncioTestCase):
    api = "run"


class ThroughRecv(Laws, unittest.IsolatedAsyncioTestCase):
    api = "recv"


class BehindAxum(Laws, unittest.IsolatedAsyncioTestCase):
    api = "axum"
