// Our echo client against servers of Node's ws.
'use strict';
const assert = require('node:assert');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { test } = require('node:test');
const { WebSocketServer } = require('ws');

const ECHO_CLIENT = path.join(process.env.EXAMPLES, 'echo_client');

law('a line comes back, and the end of input closes with 1000', async (ws, client) => {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  assert.equal(await ask(client, 'é漢😀'), 'é漢😀');
  const closed = once(ws, 'close');
  client.stdin.end();
  assert.deepEqual(await end(client), { status: 0, said: '' });
  assert.equal((await closed)[0], 1000);
});

// Standard input stays open here: the client has to end without a further line.
law('a close with 4001 is told and is a failure', async (ws, client) => {
  ws.close(4001, 'bye');
  const { status, said } = await end(client);
  assert.equal(status, 1);
  assert.match(said, /4001.*bye/s);
});

// A test with a client that is connected to a server of its own.
function law(name, body) {
  test(name, { timeout: 30_000 }, async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const client = spawn(ECHO_CLIENT, [`ws://127.0.0.1:${server.address().port}`]);
    try {
      const [ws] = await once(server, 'connection');
      await body(ws, client);
    } finally {
      client.kill();
      server.close();
    }
  });
}

async function ask(client, line) {
  client.stdin.write(`${line}\n`);
  const [answer] = await once(client.stdout, 'data');
  return answer.toString().trimEnd();
}

async function end(client) {
  let said = '';
  client.stderr.on('data', (data) => { said += data; });
  const [status] = await once(client, 'close');
  return { status, said };
}
