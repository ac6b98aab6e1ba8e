// The client of Node's ws against our echo server, through both of its ways to receive, and behind axum.
'use strict';
const assert = require('node:assert');
const crypto = require('node:crypto');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { test } = require('node:test');
const { WebSocket } = require('ws');

// Each side of every border in the length field.
const LENGTHS = [0, 1, 125, 126, 65535, 65536, 1 << 20];
const LARGE = 16 << 20;

for (const api of ['run', 'recv', 'axum']) {
  law(api, 'text and binary of every length come back', async (ws) => {
    for (const length of LENGTHS) await bothKindsComeBack(ws, length);
  });

  law(api, '16 MiB come back under a larger limit', (ws) => bothKindsComeBack(ws, LARGE), ['--max-message', `${LARGE}`]);

  law(api, 'fragments come back as one message', async (ws) => {
    const answer = once(ws, 'message');
    for (const piece of ['fr', '', 'agé']) ws.send(piece, { fin: false });
    ws.send('nts', { fin: true });
    assert.equal((await answer)[0].toString(), 'fragénts');
  });

  law(api, 'a ping is answered with its payload', async (ws) => {
    const pong = once(ws, 'pong');
    ws.ping('x'.repeat(125));
    assert.equal((await pong)[0].toString(), 'x'.repeat(125));
  });

  law(api, 'our close code comes back without a reason', async (ws) => {
    const closed = once(ws, 'close');
    ws.close(4001, 'bye');
    const [code, reason] = await closed;
    assert.deepEqual([code, reason.toString()], [4001, '']);
  });

  law(api, 'a close without a code comes back without one', async (ws) => {
    const closed = once(ws, 'close');
    ws.close();
    assert.equal((await closed)[0], 1005);
  });

  law(api, 'a message over the limit is closed with 1009', async (ws) => {
    const closed = once(ws, 'close');
    ws.send(Buffer.alloc((1 << 20) + 1));
    assert.equal((await closed)[0], 1009);
  });
}

// A test with a connection to a server of its own.
function law(api, name, body, options = []) {
  test(`${api}: ${name}`, { timeout: 30_000 }, async () => {
    const [example, ...flags] = api === 'axum' ? ['axum_server'] : ['echo_server', '--api', api];
    const server = spawn(path.join(process.env.EXAMPLES, example), ['127.0.0.1:0', ...flags, ...options]);
    try {
      const [said] = await once(server.stdout, 'data');
      const ws = new WebSocket(`ws://${/127\.0\.0\.1:[1-9]\d*/.exec(said)[0]}`);
      await once(ws, 'open');
      await body(ws);
      ws.terminate();
    } finally {
      server.kill();
    }
  });
}

async function bothKindsComeBack(ws, length) {
  const text = 'é'.repeat(length / 2) + 'a'.repeat(length % 2);
  for (const message of [text, crypto.randomBytes(length)]) {
    const answer = once(ws, 'message');
    ws.send(message);
    const [data, isBinary] = await answer;
    assert.equal(isBinary, message !== text);
    assert.ok(data.equals(Buffer.from(message)), `${isBinary ? 'binary' : 'text'} of ${length} bytes`);
  }
}
