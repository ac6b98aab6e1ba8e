"""Our client and server over TLS with servers and clients that others wrote."""

import asyncio
import ssl
import unittest
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from support import PATIENCE, certificate, config, echo_server, folder, free_port, nginx, running, talk


class Tls(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = self.enterContext(folder())
        self.cert, self.key = certificate(self.folder)

    async def assert_echoes(self, url, *flags):
        self.assertEqual(await talk(url, "--root", self.cert, *flags), (True, 0, ""))

    async def test_nginx_ends_tls_in_front_of_our_server(self):
        async with echo_server() as behind, nginx(self.folder, behind) as port:
            await self.assert_echoes(f"wss://localhost:{port}/")
            await self.assert_echoes(f"wss://127.0.0.1:{port}/", "--compress")

    async def test_haproxy_ends_tls_in_front_of_our_server_and_speaks_tls_to_it(self):
        port = free_port()
        pem = config(self.folder, "both.pem", Path(self.cert).read_text() + Path(self.key).read_text())
        for flags, backend in (((), ""), (("--tls", self.cert, self.key), f"ssl verify required ca-file {self.cert}")):
            async with echo_server(*flags) as behind:
                conf = config(self.folder, "haproxy.cfg", f"""
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tunnel 30s
frontend front
    bind 127.0.0.1:{port} ssl crt {pem} alpn http/1.1
    default_backend behind
backend behind
    server ours 127.0.0.1:{behind} {backend}
""")
                async with running("haproxy", "-db", "-f", conf, port=port):
                    await self.assert_echoes(f"wss://localhost:{port}/")

    async def test_openssls_server_is_spoken_to_by_tls_and_its_refusal_is_told(self):
        port = free_port()
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", self.cert, "-key", self.key, "-www", "-quiet"]
        for version in ("-tls1_2", "-tls1_3"):
            async with running(*command, version, port=port):
                _, status, said = await talk(f"wss://localhost:{port}/", "--root", self.cert, lines=())
                self.assertEqual(status, 1)
                self.assertIn("the server refused with 200", said)

    async def test_pythons_client_over_tls_is_echoed(self):
        trust = ssl.create_default_context(cafile=self.cert)
        for api in ("run", "recv"):
            async with echo_server("--tls", self.cert, self.key, "--api", api) as port:
                async with connect(f"wss://localhost:{port}/", ssl=trust, max_size=None) as ws:
                    for message in ("hello", b"\0" * 1_000_000, ""):
                        await ws.send(message)
                        self.assertEqual(await asyncio.wait_for(ws.recv(), PATIENCE), message)

    async def test_pythons_server_over_tls_is_spoken_to(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)

        async def echo(ws):
            async for message in ws:
                await ws.send(message)

        async with serve(echo, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            await self.assert_echoes(f"wss://localhost:{port}/")
            # Nobody vouches for it but a file that is not given here.
            _, status, said = await talk(f"wss://localhost:{port}/", lines=())
            self.assertEqual(status, 1)
            self.assertIn("invalid peer certificate", said)
            self.assertEqual(await talk(f"wss://localhost:{port}/", "--insecure"), (True, 0, ""))

    async def test_nodes_server_and_client_over_tls(self):
        script = """
            const fs = require('fs'), https = require('https'), ws = require('ws');
            const [cert, key, port] = process.argv.slice(1);
            const server = https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
            new ws.WebSocketServer({ server }).on('connection', (socket) => {
              socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
            });
            server.listen(+port, '127.0.0.1');"""
        port = free_port()
        async with running("node", "-e", script, self.cert, self.key, str(port), port=port):
            await self.assert_echoes(f"wss://localhost:{port}/")
        script = """
            const fs = require('fs'), ws = require('ws');
            const [cert, port] = process.argv.slice(1);
            const socket = new ws.WebSocket(`wss://localhost:${port}/`, { ca: fs.readFileSync(cert) });
            socket.on('open', () => socket.send('x'.repeat(300_000)));
            socket.on('message', (data) => { if (data.length === 300_000) socket.close(1000); });
            socket.on('close', (code) => process.exit(code === 1000 ? 0 : 1));
            socket.on('error', (error) => { console.error(error); process.exit(2); });"""
        async with echo_server("--tls", self.cert, self.key) as port:
            async with running("node", "-e", script, self.cert, str(port)) as client:
                self.assertEqual(await asyncio.wait_for(client.wait(), PATIENCE), 0)
