"""Our echo client against servers of Python's websockets."""

import asyncio
import os
import unittest

from websockets.asyncio.server import serve

ECHO_CLIENT = os.path.join(os.environ["EXAMPLES"], "echo_client")
PATIENCE = 10


class EchoClient:
    """A running client whose standard input stays open: it has to end without a further line."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            await self.process.communicate()

    @classmethod
    async def start(cls, server, *flags):
        self = cls()
        url = "ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
        self.process = await asyncio.create_subprocess_exec(ECHO_CLIENT, url, *flags, limit=1 << 20, **pipes)
        return self

    async def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        answer = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        return answer.decode().removesuffix("\n")

    async def end(self):
        """Exit status and what stands on standard error."""
        status = await asyncio.wait_for(self.process.wait(), PATIENCE)
        return status, (await self.process.stderr.read()).decode()


class Client(unittest.IsolatedAsyncioTestCase):
    async def test_lines_come_back_and_the_end_of_input_closes_with_1000(self):
        closed = asyncio.get_running_loop().create_future()

        async def echo(ws):
            async for message in ws:
                await ws.send(message)
            closed.set_result(ws.close_code)

        async with serve(echo, "127.0.0.1", 0) as server, await EchoClient.start(server) as client:
            for line in ("hello", "", "é漢😀", "x" * 100_000):
                self.assertEqual(await client.ask(line), line)
            client.process.stdin.close()
            self.assertEqual(await client.end(), (0, ""))
            self.assertEqual(await asyncio.wait_for(closed, PATIENCE), 1000)

    async def test_a_close_with_4001_is_told_and_is_a_failure(self):
        status, said = await self.end_of_a_client_closed_by(lambda ws: ws.close(4001, "bye"))
        self.assertEqual(status, 1)
        self.assertIn("4001", said)
        self.assertIn("bye", said)

    async def test_a_normal_close_is_no_failure(self):
        for code in (1000, 1001):
            status, said = await self.end_of_a_client_closed_by(lambda ws: ws.close(code))
            self.assertEqual(status, 0, said)

    async def test_a_connection_cut_without_a_close_is_a_failure(self):
        async def cut(ws):
            ws.transport.abort()

        status, said = await self.end_of_a_client_closed_by(cut)
        self.assertEqual(status, 1)
        self.assertNotEqual(said, "")

    async def end_of_a_client_closed_by(self, close):
        async def handler(ws):
            await ws.send(await ws.recv())
            await close(ws)

        async with serve(handler, "127.0.0.1", 0) as server, await EchoClient.start(server) as client:
            self.assertEqual(await client.ask("hello"), "hello")
            return await client.end()
