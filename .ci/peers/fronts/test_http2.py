"""WebSockets over HTTP/2 (RFC 8441) with a server and with fronts that others wrote."""

import asyncio
import contextlib
import os
import signal
import ssl
import sys
import unittest
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support import PATIENCE, certificate, config, echo_server, example, folder, free_port, nginx, running, talk

LIMIT = 2 << 20

HYPERCORN_APP = """
async def echo(scope, receive, send):
    if scope["type"] != "websocket":
        return
    assert scope["http_version"] == "2"
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        if event["text"] == "go":
            await send({"type": "websocket.close", "code": 4001, "reason": "bye"})
        else:
            await send({"type": "websocket.send", "text": event["text"]})
"""


class Http2(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        # Debug mode reports every callback that takes long, as large messages do.
        asyncio.get_running_loop().set_debug(False)
        self.folder = self.enterContext(folder())
        self.cert, self.key = certificate(self.folder)

    async def assert_lines_come_back(self, port, *flags):
        self.assertEqual(await self.talk(port, *flags), (True, 0, ""))

    def talk(self, port, *flags, **options):
        return talk(f"wss://localhost:{port}/", "--http2", "--root", self.cert, *flags, **options)

    @contextlib.asynccontextmanager
    async def haproxy(self, front, behind, back):
        """With TLS in front, and what `front` and `back` add."""
        port = free_port()
        pem = config(self.folder, "both.pem", Path(self.cert).read_text() + Path(self.key).read_text())
        conf = config(self.folder, "haproxy.cfg", f"""
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen front
    bind 127.0.0.1:{port} ssl crt {pem} {front}
    server ours 127.0.0.1:{behind} {back}
""")
        async with running("haproxy", "-db", "-f", conf, port=port):
            yield port

    @contextlib.asynccontextmanager
    async def nghttpx(self, behind):
        port = free_port()
        command = (f"--frontend=127.0.0.1,{port}", f"--backend=127.0.0.1,{behind};;proto=h2", "--workers=1", "--conf=/dev/null")
        log = (f"--accesslog-file={self.folder}/nghttpx.log", "--accesslog-format=$alpn $method $status")
        async with running("nghttpx", *command, *log, self.key, self.cert, port=port):
            yield port

    def connect(self, port, **options):
        """Python's client, which speaks HTTP/1.1."""
        trust = ssl.create_default_context(cafile=self.cert)
        return connect(f"wss://localhost:{port}/", ssl=trust, max_size=None, **options)

    async def assert_is_a_way_to_our_server(self, front):
        """For clients of either version. `front` is given a port to which it has to speak HTTP/2."""
        async with example("http2_server", "--max-message", str(LIMIT), "--compress") as (server, behind), front(behind) as port:
            await self.assert_lines_come_back(port)
            await self.assert_lines_come_back(port, "--compress")
            with self.assertRaises(InvalidStatus) as refused:
                await self.connect(port, origin="https://evil.example")
            self.assertEqual(refused.exception.response.status_code, 403)
            async with self.connect(port) as ws:
                self.assertIn("permessage-deflate", ws.response.headers["Sec-WebSocket-Extensions"])
                for message in ("hello", "é漢😀" * 1000, os.urandom(LIMIT)):
                    await ws.send(message)
                    self.assertEqual(await asyncio.wait_for(ws.recv(), PATIENCE), message)
                await ws.close(4001, "bye")
                self.assertEqual(ws.close_code, 4001)
            for code, message, is_text in ((1009, b"\0" * (LIMIT + 1), False), (1007, b"\xc3\x28", True)):
                async with self.connect(port, compression=None) as ws:
                    await ws.send(message, text=is_text)
                    await self.assert_closed(ws, code)
            async with self.connect(port) as ws, self.connect(port) as other:
                server.send_signal(signal.SIGINT)
                await self.assert_closed(ws, 1001)
                await self.assert_closed(other, 1001)
            self.assertEqual(await asyncio.wait_for(server.wait(), PATIENCE), 0)

    async def assert_closed(self, ws, code):
        with self.assertRaises(ConnectionClosed) as closed:
            await asyncio.wait_for(ws.recv(), PATIENCE)
        self.assertEqual(closed.exception.rcvd and closed.exception.rcvd.code, code)

    async def test_hypercorn_is_spoken_to_and_either_end_closes(self):
        port = free_port()
        app = config(self.folder, "app.py", HYPERCORN_APP)
        command = ("-B", "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "--certfile", self.cert, "--keyfile", self.key)
        async with running(sys.executable, *command, f"{app}:echo", port=port):
            await self.assert_lines_come_back(port)
            await self.assert_lines_come_back(port, "--compress")
            _, status, said = await self.talk(port, lines=("hello", "go"))
            self.assertEqual(status, 1)
            self.assertRegex(said, "4001.*bye")

    async def test_haproxy_speaks_http2_in_front_of_a_server_that_does_not(self):
        async with echo_server("--compress") as behind, self.haproxy("alpn h2 proto h2", behind, "") as port:
            await self.assert_lines_come_back(port)
            await self.assert_lines_come_back(port, "--compress")

    async def test_haproxy_speaks_http2_to_our_server(self):
        await self.assert_is_a_way_to_our_server(lambda behind: self.haproxy("alpn h2,http/1.1", behind, "proto h2"))

    async def test_nghttpx_speaks_http2_to_our_server(self):
        await self.assert_is_a_way_to_our_server(self.nghttpx)
        spoken = Path(self.folder, "nghttpx.log").read_text().splitlines()
        self.assertEqual(spoken[:3], ["h2 CONNECT 200", "h2 CONNECT 200", "http/1.1 GET 403"])

    async def test_servers_without_http2_or_without_websockets_over_it_are_asked_over_http1(self):
        for listen in ("ssl", "ssl http2"):
            async with echo_server() as behind, nginx(self.folder, behind, listen) as port:
                await self.assert_lines_come_back(port)
