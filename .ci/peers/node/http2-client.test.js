// Our echo client over HTTP/2 against Node's HTTP/2 server (RFC 8441).
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const http2 = require('node:http2');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { test } = require('node:test');
const { cert, key } = require('../certificate');
const { CLOSE, Frames, TEXT, code } = require('./frames');

law('it asks as the RFC says', async ({ stream, headers, client }) => {
  const { ':method': method, ':protocol': protocol, ':scheme': scheme, ':path': target } = headers;
  assert.deepEqual([method, protocol, scheme, target], ['CONNECT', 'websocket', 'https', '/room?n=1']);
  assert.match(headers[':authority'], /^localhost:\d+$/);
  assert.equal(headers['sec-websocket-version'], '13');
  for (const name of ['sec-websocket-key', 'connection', 'upgrade', 'host']) assert.ok(!(name in headers), name);
  stream.respond({ ':status': 503 }, { endStream: true });
  const { status, said } = await end(client);
  assert.equal(status, 1);
  assert.match(said, /503/);
});

law('lines come back, and the end of input closes with 1000', async (asked) => {
  const { client, frames } = accept(asked);
  for (const line of ['é漢😀', 'x'.repeat(300_000)]) await comesBack(client, frames, line);
  client.stdin.end();
  assert.deepEqual(await frames.receive(), { opcode: CLOSE, payload: code(1000) });
  frames.send(CLOSE, code(1000));
  frames.stream.end();
  await frames.endsWell();
  assert.deepEqual(await end(client), { status: 0, said: '' });
});

law('a close with 4001 is answered, told, and a failure', async (asked) => {
  const { client, frames } = accept(asked);
  frames.send(CLOSE, Buffer.concat([code(4001), Buffer.from('bye')]));
  assert.deepEqual(await frames.receive(), { opcode: CLOSE, payload: code(4001) });
  frames.stream.end();
  await frames.endsWell();
  const { status, said } = await end(client);
  assert.equal(status, 1);
  assert.match(said, /4001.*bye/s);
});

law('a server that goes away is spoken to until it closes', async (asked) => {
  const { client, frames } = accept(asked);
  await comesBack(client, frames, 'before');
  frames.stream.session.goaway(http2.constants.NGHTTP2_NO_ERROR, frames.stream.id);
  await comesBack(client, frames, 'after');
  frames.send(CLOSE, code(1001));
  assert.deepEqual(await frames.receive(), { opcode: CLOSE, payload: code(1001) });
  frames.stream.end();
  assert.deepEqual(await end(client), { status: 0, said: '' });
});

for (const name of ['NGHTTP2_CANCEL', 'NGHTTP2_INTERNAL_ERROR', 'NGHTTP2_NO_ERROR']) {
  law(`a reset with ${name} is a failure`, async (asked) => {
    const { client, frames } = accept(asked);
    await comesBack(client, frames, 'before');
    frames.stream.close(http2.constants[name]);
    assert.equal((await end(client)).status, 1);
  });
}

law('a connection that is cut is a failure', async (asked) => {
  const { client, frames } = accept(asked);
  await comesBack(client, frames, 'before');
  frames.stream.session.destroy();
  assert.equal((await end(client)).status, 1);
});

// A test with a client that asks a server of its own.
function law(name, body) {
  test(name, { timeout: 30_000 }, async () => {
    const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key), settings: { enableConnectProtocol: true } };
    const server = http2.createSecureServer(options);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `wss://localhost:${server.address().port}/room?n=1`;
    const client = spawn(path.join(process.env.EXAMPLES, 'echo_client'), [url, '--http2', '--root', cert]);
    try {
      const [stream, headers] = await once(server, 'stream');
      await body({ client, stream, headers });
    } finally {
      client.kill();
      server.close();
    }
  });
}

function accept({ client, stream }) {
  stream.respond({ ':status': 200 });
  return { client, frames: new Frames(stream, { masks: false }) };
}

async function comesBack(client, frames, line) {
  let answer = '';
  client.stdout.on('data', (data) => { answer += data; });
  client.stdin.write(`${line}\n`);
  assert.deepEqual(await frames.receive(), { opcode: TEXT, payload: Buffer.from(line) });
  frames.send(TEXT, Buffer.from(line));
  while (!answer.endsWith('\n')) await once(client.stdout, 'data');
  client.stdout.removeAllListeners('data');
  assert.equal(answer, `${line}\n`);
}

async function end(client) {
  let said = '';
  client.stdout.resume();
  client.stderr.on('data', (data) => { said += data; });
  const [status] = await once(client, 'close');
  return { status, said };
}
