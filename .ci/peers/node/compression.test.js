// Compressed messages between Node's ws and our echo server and client, with both takeovers and small windows.
'use strict';
const assert = require('node:assert');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { test } = require('node:test');
const { WebSocket, WebSocketServer } = require('ws');

const MESSAGES = [];
for (let n = 0; n < 60; n++) MESSAGES.push(JSON.stringify({ number: n, text: 'the quick brown fox '.repeat(n % 40) }));
for (const length of [0, 1, 127, 128, 511, 512, 16384, 65536]) MESSAGES.push('x'.repeat(length));

for (const flag of ['--compress', '--compress=takeover']) {
  // To ws, false forbids the other end to say it.
  for (const alone of [undefined, true]) {
    for (const window of [undefined, 9, 15]) {
      const parameters = {
        threshold: 0,
        // False would refuse what it didn't ask for.
        serverNoContextTakeover: alone || undefined,
        clientNoContextTakeover: alone || undefined,
        serverMaxWindowBits: window,
        clientMaxWindowBits: window,
      };
      const name = `${flag}${alone ? ', no takeover' : ''}${window ? `, windows of ${window} bits` : ''}`;

      test(`messages come back from our server: ${name}`, { timeout: 30_000 }, async () => {
        const server = spawn(path.join(process.env.EXAMPLES, 'echo_server'), ['127.0.0.1:0', flag]);
        try {
          const [said] = await once(server.stdout, 'data');
          const ws = new WebSocket(`ws://${/127\.0\.0\.1:[1-9]\d*/.exec(said)[0]}`, { perMessageDeflate: parameters });
          await once(ws, 'open');
          assert.match(ws.extensions, /permessage-deflate/);
          for (const message of MESSAGES) {
            const answer = once(ws, 'message');
            ws.send(message);
            assert.equal((await answer)[0].toString(), message);
          }
          ws.terminate();
        } finally {
          server.kill();
        }
      });

      test(`lines come back to our client: ${name}`, { timeout: 30_000 }, async () => {
        const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: parameters });
        await once(server, 'listening');
        const client = spawn(path.join(process.env.EXAMPLES, 'echo_client'), [`ws://127.0.0.1:${server.address().port}`, flag]);
        try {
          const [ws] = await once(server, 'connection');
          assert.match(ws.extensions, /permessage-deflate/);
          ws.on('message', (data) => ws.send(data.toString()));
          for (const message of MESSAGES.slice(0, 20)) {
            client.stdin.write(`${message}\n`);
            const [answer] = await once(client.stdout, 'data');
            assert.equal(answer.toString().trimEnd(), message);
          }
          client.stdin.end();
          assert.equal((await once(client, 'close'))[0], 0);
        } finally {
          client.kill();
          server.close();
        }
      });
    }
  }
}
