"""Our client through proxies that others wrote, to `ws` and to `wss`."""

import contextlib
import os
import unittest
from unittest import mock

from support import certificate, config, echo_server, folder, free_port, running, talk


class Proxies(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = self.enterContext(folder())
        self.cert, self.key = certificate(self.folder)

    async def assert_both_echo_through(self, *flags):
        async with echo_server() as plain, echo_server("--tls", self.cert, self.key) as secured:
            self.assertEqual(await talk(f"ws://localhost:{plain}/", *flags), (True, 0, ""))
            flags = (*flags, "--root", self.cert)
            self.assertEqual(await talk(f"wss://localhost:{secured}/", *flags), (True, 0, ""))

    @contextlib.asynccontextmanager
    async def tinyproxy(self, more=""):
        port = free_port()
        conf = config(self.folder, "tinyproxy.conf", f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\n{more}")
        async with running("tinyproxy", "-d", "-c", conf, port=port):
            yield port

    @contextlib.asynccontextmanager
    async def squid(self, rules):
        port = free_port()
        conf = config(self.folder, "squid.conf", f"""
http_port 127.0.0.1:{port}
pid_filename {self.folder}/squid.pid
cache_log /dev/null
access_log none
cache deny all
shutdown_lifetime 0 seconds
{rules}
""")
        async with running("squid", "-N", "-f", conf, port=port):
            yield port

    async def test_tinyproxy_connects_with_and_without_a_password(self):
        async with self.tinyproxy() as port:
            await self.assert_both_echo_through("--proxy", f"http://127.0.0.1:{port}")
        async with self.tinyproxy("BasicAuth user secret\n") as port:
            await self.assert_both_echo_through("--proxy", f"http://user:secret@127.0.0.1:{port}")
            _, status, said = await talk("ws://localhost:1/", "--proxy", f"http://127.0.0.1:{port}", lines=())
            self.assertEqual(status, 1)
            self.assertRegex(said, "the proxy refused with 40[17]")

    async def test_squid_connects_and_its_refusal_has_its_status(self):
        async with self.squid("http_access allow all") as port:
            await self.assert_both_echo_through("--proxy", f"http://127.0.0.1:{port}")
        async with self.squid("http_access deny all") as port:
            _, status, said = await talk("wss://localhost/", "--proxy", f"http://127.0.0.1:{port}", lines=())
            self.assertEqual(status, 1)
            self.assertIn("the proxy refused with 403", said)

    async def test_microsocks_connects_with_and_without_a_password(self):
        port = free_port()
        async with running("microsocks", "-i", "127.0.0.1", "-p", str(port), port=port):
            await self.assert_both_echo_through("--proxy", f"socks5h://127.0.0.1:{port}")
        port = free_port()
        command = ("microsocks", "-i", "127.0.0.1", "-p", str(port), "-u", "user", "-P", "secret")
        async with running(*command, port=port):
            await self.assert_both_echo_through("--proxy", f"socks5://user:secret@127.0.0.1:{port}")
            for wrong in ("", "user:wrong@"):
                _, status, said = await talk("ws://localhost:1/", "--proxy", f"socks5://{wrong}127.0.0.1:{port}", lines=())
                self.assertEqual(status, 1)
                self.assertIn("SOCKS5", said)

    async def test_the_environment_names_the_proxy_where_it_is_asked_for(self):
        async with self.tinyproxy() as port:
            both = f"http://127.0.0.1:{port}"
            with mock.patch.dict(os.environ, {"HTTP_PROXY": both, "https_proxy": both}):
                await self.assert_both_echo_through("--proxy-from-env")
        # Nobody listens there any more.
        with mock.patch.dict(os.environ, {"ALL_PROXY": both}):
            await self.assert_both_echo_through()
            _, status, _ = await talk("ws://localhost:1/", "--proxy-from-env", lines=())
            self.assertEqual(status, 1)
            with mock.patch.dict(os.environ, {"NO_PROXY": "localhost"}):
                await self.assert_both_echo_through("--proxy-from-env")
