// Node's HTTP/2 client against our server, over TLS, and behind axum, over plain TCP: WebSockets in raw frames, many on one
// session (RFC 8441).
'use strict';
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http2 = require('node:http2');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { test } = require('node:test');
const { cert, key } = require('../certificate');
const { BINARY, CLOSE, Frames, TEXT, code } = require('./frames');

// The largest is 16 times what Node lets a stream have on its way.
const LENGTHS = [0, 5, 126, 70_000, 1 << 20];
const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = http2.constants;

for (const name of ['http2_server', 'axum_server']) {
  law(name, 'every length comes back on many WebSockets at once', async (session) => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(session)));
    await Promise.all(sockets.map(async (socket) => {
      for (const length of LENGTHS) await socket.comesBack(BINARY, crypto.randomBytes(length));
      await socket.comesBack(TEXT, Buffer.from('é漢😀'));
    }));
  });

  law(name, 'one that does not read stops no other', async (session) => {
    const [slow, other] = [await open(session), await open(session)];
    const large = crypto.randomBytes(1 << 20);
    slow.stream.pause();
    slow.send(BINARY, large);
    for (const length of LENGTHS) await other.comesBack(BINARY, crypto.randomBytes(length));
    slow.stream.resume();
    assert.deepEqual(await slow.receive(), { opcode: BINARY, payload: large });
  });

  law(name, 'another protocol is refused with 501, a foreign origin with 403, another version with 426', async (session) => {
    for (const [status, headers] of [
      [501, { ':protocol': 'connect-udp' }],
      [403, { origin: 'https://evil.example' }],
      [426, { 'sec-websocket-version': '8' }],
    ]) {
      const stream = ask(session, headers);
      assert.equal((await once(stream, 'response'))[0][':status'], status);
      stream.end();
      stream.resume();
      await once(stream, 'close');
      assert.equal(stream.rstCode, NGHTTP2_NO_ERROR);
    }
    await (await open(session)).comesBack(TEXT, Buffer.from('still there'));
  });

  law(name, 'its own origin is let in, and the protocol in any case', async (session, { origin }) => {
    await (await open(session, { origin })).comesBack(TEXT, Buffer.from('hello'));
    await (await open(session, { ':protocol': 'WebSocket' })).comesBack(TEXT, Buffer.from('hello'));
  });

  law(name, 'a close with 4001 comes back, and both sides end without a reset', async (session) => {
    const [socket, other] = [await open(session), await open(session)];
    socket.send(CLOSE, Buffer.concat([code(4001), Buffer.from('bye')]));
    assert.deepEqual(await socket.receive(), { opcode: CLOSE, payload: code(4001) });
    await socket.endsWell();
    await other.comesBack(TEXT, Buffer.from('still there'));
  });

  law(name, 'a message over the limit is closed with 1009', async (session) => {
    const socket = await open(session);
    socket.send(BINARY, Buffer.alloc((1 << 20) + 1));
    const { opcode, payload } = await socket.receive();
    assert.deepEqual([opcode, payload.readUInt16BE()], [CLOSE, 1009]);
  });

  law(name, 'one that is reset leaves the others', async (session) => {
    const other = await open(session);
    for (let n = 0; n < 20; n++) {
      const socket = await open(session);
      socket.send(BINARY, crypto.randomBytes(100_000));
      if (n % 2) await once(socket.stream, 'data');
      socket.stream.close(NGHTTP2_CANCEL);
      await once(socket.stream, 'close');
      await other.comesBack(TEXT, Buffer.from(`after ${n + 1}`));
    }
  });

  law(name, 'a server that stops closes all with 1001, and ends the session', async (session, { server }) => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(session)));
    const ended = once(session, 'close');
    server.kill('SIGINT');
    await Promise.all(sockets.map(async (socket) => {
      assert.deepEqual(await socket.receive(), { opcode: CLOSE, payload: code(1001) });
      socket.send(CLOSE, code(1001));
      await socket.endsWell();
    }));
    await ended;
    assert.equal(server.exitCode ?? (await once(server, 'exit'))[0], 0);
  });
}

// A test with a session with a server of its own.
function law(name, title, body) {
  test(`${name}: ${title}`, { timeout: 30_000 }, async () => {
    const [scheme, flags] = name === 'axum_server' ? ['http', []] : ['https', ['--tls', cert, key]];
    const server = spawn(path.join(process.env.EXAMPLES, name), ['127.0.0.1:0', ...flags]);
    let session;
    try {
      const [said] = await once(server.stdout, 'data');
      const origin = `${scheme}://localhost:${/127\.0\.0\.1:([1-9]\d*)/.exec(said)[1]}`;
      session = http2.connect(origin, { ca: fs.readFileSync(cert) });
      const [settings] = await once(session, 'remoteSettings');
      assert.ok(settings.enableConnectProtocol);
      await body(session, { server, origin });
    } finally {
      session?.destroy();
      server.kill('SIGKILL');
    }
  });
}

function ask(session, headers) {
  return session.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': session.encrypted ? 'https' : 'http', ':path': '/',
    'sec-websocket-version': '13', ...headers,
  }, { endStream: false });
}

async function open(session, headers) {
  const stream = ask(session, headers);
  assert.equal((await once(stream, 'response'))[0][':status'], 200);
  return new Frames(stream, { masks: true });
}
