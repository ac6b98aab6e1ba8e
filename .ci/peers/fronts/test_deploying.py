"""The configurations of docs/deploying, as they stand but for addresses and paths, in front of our servers."""

import asyncio
import contextlib
import os
import re
import signal
import ssl
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support import EXAMPLES, PATIENCE, certificate, config, echo_server, folder, free_port, running

CONFIGURATIONS = Path(__file__).parents[3] / "docs" / "deploying"
# A port on which nobody listens.
NOBODY = 1
FLAGS = ("--compress", "--subprotocol", "chat", "--heartbeat")

# A configuration, and the command that takes its path.
FRONTS = {
    "nginx": ("nginx.conf", ("nginx", "-g", "daemon off;", "-p", "/", "-c")),
    "HAProxy": ("haproxy.cfg", ("haproxy", "-db", "-f")),
    "HAProxy, TLS passed through": ("haproxy-tls.cfg", ("haproxy", "-db", "-f")),
    "Caddy": ("Caddyfile", ("caddy", "run", "--adapter", "caddyfile", "--config")),
}
END_TLS = ("nginx", "HAProxy", "Caddy")


class Stub:
    """A server that answers a plain GET and a handshake with a status each, and keeps the handshakes' heads."""

    def __init__(self, plain, handshake):
        self.statuses = plain, handshake
        self.heads = []

    @contextlib.asynccontextmanager
    async def serving(self):
        """Its port."""
        async with await asyncio.start_server(self.answer, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    async def answer(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            is_handshake = "\r\nupgrade: websocket\r\n" in head
            if is_handshake:
                self.heads.append(head)
            writer.write(f"HTTP/1.1 {self.statuses[is_handshake]} Stub\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()


class Deploying(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = self.enterContext(folder())
        self.cert, self.key = certificate(self.folder)

    @contextlib.asynccontextmanager
    async def front(self, front, behind, other=NOBODY, timeout="75s"):
        """A front with its documented configuration, and the port that it listens on."""
        name, command = FRONTS[front]
        port = free_port()
        both = Path(self.cert).read_text() + Path(self.key).read_text()
        places = {
            "127.0.0.1:9001": f"127.0.0.1:{behind}",
            "127.0.0.1:9002": f"127.0.0.1:{other}",
            "listen 443": f"listen 127.0.0.1:{port}",
            ":443": f":{port}",
            "chat.example.org": "localhost",
            "/etc/ssl/chat/cert.pem": self.cert,
            "/etc/ssl/chat/key.pem": self.key,
            "/etc/ssl/chat/both.pem": config(self.folder, f"both-{port}.pem", both),
            "/etc/ssl/chat/ca.pem": self.cert,
            "/run/nginx.pid": f"{self.folder}/nginx-{port}.pid",
            "/var/log/nginx": self.folder,
            "75s": timeout,
            # Health checks.
            "inter 2s": "inter 200ms",
            "health_interval 2s": "health_interval 200ms",
            # There may be fewer files here.
            "maxconn 32768": "maxconn 1024",
        }
        # In one pass, so that nothing is replaced in what has been put there.
        text = re.sub("|".join(map(re.escape, places)), lambda it: places[it[0]], (CONFIGURATIONS / name).read_text())
        async with running(*command, config(self.folder, f"{port}-{name}", text), port=port):
            yield port

    def connect(self, port, origin=None, **options):
        options = {"compression": "deflate", "subprotocols": ["other", "chat"], **options}
        # Its own pings would keep an idle connection open.
        return connect(
            f"wss://localhost:{port}/", ssl=self.trusting(), origin=origin or f"https://localhost:{port}", max_size=None,
            ping_interval=None, **options)

    def trusting(self):
        return ssl.create_default_context(cafile=self.cert)

    async def is_a_way_through(self, port):
        """What every front lets through."""
        with self.assertRaises(InvalidStatus) as refused:
            async with self.connect(port, origin="https://evil.example"):
                pass
        self.assertEqual(refused.exception.response.status_code, 403)
        async with self.connect(port) as ws:
            self.assertEqual(ws.subprotocol, "chat")
            self.assertTrue(ws.response.headers["Sec-WebSocket-Extensions"].startswith("permessage-deflate"))
            for message in ("hello", "é漢😀" * 1000, os.urandom(1 << 20)):
                await ws.send(message)
                self.assertEqual(await asyncio.wait_for(ws.recv(), PATIENCE), message)

    def server(self, front, heartbeat):
        """An echo server, which ends TLS if its front doesn't."""
        tls = () if front in END_TLS else ("--tls", self.cert, self.key)
        return echo_server(*FLAGS, heartbeat, *tls)

    async def keeps_the_idle(self, front):
        """With our heartbeat of a second, behind a front that is patient for three."""
        async with self.server(front, "1") as behind, self.front(front, behind, timeout="3s") as port, self.connect(port) as ws:
            with self.assertRaises(TimeoutError):
                await asyncio.wait_for(ws.recv(), 4)
            await ws.send("still there")
            self.assertEqual(await asyncio.wait_for(ws.recv(), PATIENCE), "still there")

    async def cuts_the_idle(self, front):
        """Without a heartbeat."""
        async with self.server(front, "3600") as behind, self.front(front, behind, timeout="3s") as port, self.connect(port) as ws:
            with self.assertRaises(ConnectionClosed) as cut:
                await asyncio.wait_for(ws.recv(), PATIENCE)
            self.assertIsNone(cut.exception.rcvd)

    async def evades_who_goes_down(self, front):
        """Handshakes go to the server that is left, with the client's own address and the Host that it asked for."""
        # As `Server` answers on its way down.
        down = Stub(426, 503)
        async with (
            down.serving() as other,
            self.server(front, "30") as behind,
            self.front(front, behind, other) as port,
            contextlib.AsyncExitStack() as open_ones,
        ):
            refused = 0
            for _ in range(6):
                try:
                    forged = {"X-Forwarded-For": "203.0.113.7"}
                    await open_ones.enter_async_context(self.connect(port, additional_headers=forged))
                except InvalidStatus as error:
                    self.assertEqual(error.response.status_code, 503)
                    refused += 1
            # Caddy asks no other server then, but notices.
            self.assertEqual(refused, 1 if front == "Caddy" else 0)
            self.assertTrue(down.heads, "it was never asked")
            for head in down.heads:
                self.assertIn(f"\r\nhost: localhost:{port}\r\n", head)
                self.assertEqual(re.findall("x-forwarded-for: (.*)\r\n", head), ["127.0.0.1"])

    async def tells_of_a_shutdown(self, front):
        """A server behind axum closes its connections with 1001 on SIGTERM."""
        async with contextlib.AsyncExitStack() as stack:
            server = await asyncio.create_subprocess_exec(
                os.path.join(EXAMPLES, "axum_server"), "127.0.0.1:0", "--patience", "5", stdout=asyncio.subprocess.PIPE)
            stack.push_async_callback(server.wait)
            stack.callback(lambda: server.returncode is None and server.kill())
            line = (await asyncio.wait_for(server.stdout.readline(), PATIENCE)).decode()
            port = await stack.enter_async_context(self.front(front, re.search(r":(\d+)$", line.strip())[1]))
            self.assertEqual(await self.get(port, "/health"), (200, b"fine"))
            ws = await stack.enter_async_context(self.connect(port))
            server.send_signal(signal.SIGTERM)
            with self.assertRaises(ConnectionClosed) as closed:
                await asyncio.wait_for(ws.recv(), PATIENCE)
            self.assertEqual(closed.exception.rcvd.code, 1001)

    async def get(self, port, path):
        """The answer to a plain GET."""
        try:
            answer = await asyncio.to_thread(
                urllib.request.urlopen, f"https://localhost:{port}{path}", context=self.trusting(), timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read()

    async def stays_in_use(self, front):
        """A healthy server, after some checks of its health; and what such a check is answered."""
        async with self.server(front, "30") as behind, self.front(front, behind) as port:
            await asyncio.sleep(2)
            await self.is_a_way_through(port)
            self.assertEqual((await self.get(port, "/"))[0], 426)

    async def drops_the_ill(self, front):
        """A server whose answer to a health check is another."""
        async with Stub(200, 101).serving() as ill, self.front(front, ill) as port:
            await asyncio.sleep(2)
            self.assertEqual((await self.get(port, "/"))[0], 503)

    async def each(self, *checks):
        """Checks, each with its fronts. All at once, since they mostly wait."""
        async def named(check, front):
            try:
                await check(front)
            except Exception as error:
                error.add_note(f"behind {front}")
                raise

        async with asyncio.TaskGroup() as group:
            for check, fronts in checks:
                for front in fronts:
                    group.create_task(named(check, front))

    async def test_an_idle_connection_lives_by_the_heartbeat_where_the_front_has_a_time_out(self):
        await self.each((self.keeps_the_idle, FRONTS), (self.cuts_the_idle, FRONTS.keys() - {"Caddy"}))

    async def test_a_healthy_server_is_used_and_everything_passes_and_an_ill_one_is_not_used(self):
        await self.each((self.stays_in_use, FRONTS), (self.drops_the_ill, ("HAProxy", "Caddy")))

    async def test_handshakes_evade_a_server_that_goes_down_and_tell_the_clients_address(self):
        await self.each((self.evades_who_goes_down, END_TLS))

    async def test_clients_are_told_of_a_shutdown(self):
        await self.each((self.tells_of_a_shutdown, END_TLS))
