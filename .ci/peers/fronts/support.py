"""Certificates, processes and ports for the tests of TLS and proxies."""

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import tempfile

EXAMPLES = os.environ["EXAMPLES"]
PATIENCE = 20
GIVEN = set()


def certificate(folder):
    """A certificate for localhost and 127.0.0.1 that is its own root."""
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", names, "-days", "2",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert],
        check=True, stderr=subprocess.DEVNULL)
    return cert, key


def free_port():
    """A port that nobody has, and that was not given to another test."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


def config(folder, name, text):
    """A file of a configuration, and its path."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory() as path:
        # Some of the servers change to users of their own.
        os.chmod(path, 0o755)
        yield path


@contextlib.asynccontextmanager
async def running(*command, port=None):
    """A process, once something listens on its port."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    try:
        if port:
            await listening(port)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()


@contextlib.asynccontextmanager
async def nginx(folder, behind, listen="ssl"):
    """With the folder's certificate, in front of a server that speaks HTTP/1.1."""
    port = free_port()
    conf = config(folder, "nginx.conf", f"""
        daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
        events {{}}
        http {{
            access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
            server {{
                listen 127.0.0.1:{port} {listen}; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
                location / {{
                    proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1;
                    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
                    proxy_set_header Host $http_host;
                }}
            }}
        }}""")
    async with running("nginx", "-c", conf, "-p", folder, port=port):
        yield port


async def listening(port):
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError(f"nobody listens on port {port}")


@contextlib.asynccontextmanager
async def example(name, *flags):
    """One of our servers, and its port."""
    process = await asyncio.create_subprocess_exec(
        os.path.join(EXAMPLES, name), "127.0.0.1:0", *flags, stdout=asyncio.subprocess.PIPE)
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
        yield process, int(re.search(r":(\d+)$", line.strip())[1])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def echo_server(*flags):
    """Our echo server's port."""
    async with example("echo_server", *flags) as (_, port):
        yield port


async def talk(url, *flags, lines=("hello", "é漢😀", "x" * 100_000)):
    """What our echo client is answered, its exit status, and what it says of errors."""
    client = await asyncio.create_subprocess_exec(
        os.path.join(EXAMPLES, "echo_client"), url, *flags, limit=1 << 20,
        **dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE))
    answers = []
    try:
        for line in lines:
            client.stdin.write(line.encode() + b"\n")
            answer = await asyncio.wait_for(client.stdout.readline(), PATIENCE)
            if not answer:
                break
            answers.append(answer.decode().removesuffix("\n"))
        client.stdin.close()
        status = await asyncio.wait_for(client.wait(), PATIENCE)
        return answers == list(lines), status, (await client.stderr.read()).decode()
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()
