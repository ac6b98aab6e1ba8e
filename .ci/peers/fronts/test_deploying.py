"""The configurations of docs/deploying, as they stand but for addresses and paths, in front of our server behind axum."""

import asyncio
import os
import re
import signal
import ssl
import unittest
import urllib.request
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support import EXAMPLES, PATIENCE, certificate, config, folder, free_port, running

CONFIGURATIONS = Path(__file__).parents[3] / "docs" / "deploying"


class Deploying(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = self.enterContext(folder())
        self.cert, key = certificate(self.folder)
        both = Path(self.cert).read_text() + Path(key).read_text()
        self.paths = {
            "/etc/ssl/chat/cert.pem": self.cert,
            "/etc/ssl/chat/key.pem": key,
            "/etc/ssl/chat/both.pem": config(self.folder, "both.pem", both),
            "/run/nginx.pid": f"{self.folder}/nginx.pid",
            "/var/log/nginx": self.folder,
            "chat.example.org": "localhost",
            # There may be fewer files here.
            "maxconn 32768": "maxconn 1024",
        }

    async def server(self, *flags):
        """A server behind axum that is killed at the end."""
        server = await asyncio.create_subprocess_exec(
            os.path.join(EXAMPLES, "axum_server"), "127.0.0.1:0", *flags, stdout=asyncio.subprocess.PIPE)

        async def end():
            if server.returncode is None:
                server.kill()
            await server.wait()

        self.addAsyncCleanup(end)
        line = (await asyncio.wait_for(server.stdout.readline(), PATIENCE)).decode()
        return server, re.search(r":(\d+)$", line.strip())[1]

    def file(self, name, behind, changes):
        """A configuration for a server, and the port that it listens on."""
        port = free_port()
        text = (CONFIGURATIONS / name).read_text()
        places = {"127.0.0.1:9001": f"127.0.0.1:{behind}", "listen 443": f"listen 127.0.0.1:{port}", ":443": f":{port}"}
        for before, after in {**self.paths, **changes, **places}.items():
            text = text.replace(before, after)
        return config(self.folder, name, text), port

    def connect(self, port, **options):
        trusting = ssl.create_default_context(cafile=self.cert)
        origin = options.pop("origin", f"https://localhost:{port}")
        return connect(f"wss://localhost:{port}/", ssl=trusting, origin=origin, max_size=None, **options)

    async def passes(self, port, server):
        """What every front lets through, to a server that pings after a second."""
        with self.assertRaises(InvalidStatus) as refused:
            async with self.connect(port, origin="https://evil.example"):
                pass
        self.assertEqual(refused.exception.response.status_code, 403)
        trusting = ssl.create_default_context(cafile=self.cert)
        healthy = await asyncio.to_thread(urllib.request.urlopen, f"https://localhost:{port}/health", context=trusting)
        self.assertEqual((healthy.status, healthy.read()), (200, b"fine"))
        async with self.connect(port) as ws:
            self.assertTrue(ws.response.headers["Sec-WebSocket-Extensions"].startswith("permessage-deflate"))
            for message in ("hello", "é漢😀" * 1000, os.urandom(1 << 20)):
                await ws.send(message)
                self.assertEqual(await asyncio.wait_for(ws.recv(), PATIENCE), message)
            # Longer than the front's patience with who is idle.
            await asyncio.sleep(5)
            await ws.send("still there")
            self.assertEqual(await asyncio.wait_for(ws.recv(), PATIENCE), "still there")
            server.send_signal(signal.SIGTERM)
            with self.assertRaises(ConnectionClosed) as closed:
                await asyncio.wait_for(ws.recv(), PATIENCE)
            self.assertEqual(closed.exception.rcvd.code, 1001)

    async def is_cut_without_a_heartbeat(self, port):
        async with self.connect(port) as ws:
            with self.assertRaises(ConnectionClosed) as cut:
                await asyncio.wait_for(ws.recv(), PATIENCE)
            self.assertIsNone(cut.exception.rcvd)

    async def each(self, name, changes, command):
        for heartbeat, check in (("1", True), ("3600", False)):
            server, behind = await self.server("--compress", "--heartbeat", heartbeat, "--patience", "5")
            file, port = self.file(name, behind, changes)
            async with running(*command, file, port=port):
                if check:
                    await self.passes(port, server)
                elif changes:
                    await self.is_cut_without_a_heartbeat(port)

    async def test_nginx(self):
        await self.each("nginx.conf", {"75s": "3s"}, ("nginx", "-g", "daemon off;", "-p", self.folder, "-c"))

    async def test_haproxy(self):
        await self.each("haproxy.cfg", {"75s": "3s"}, ("haproxy", "-db", "-f"))

    async def test_caddy(self):
        await self.each("Caddyfile", {}, ("caddy", "run", "--adapter", "caddyfile", "--config"))
